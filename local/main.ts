import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cloud, createCloud } from './cloud.ts';
import { createChaos, seededRandom } from './gate/chaos.ts';
import { packageApp } from './package.ts';

const usage = `Tableside on this machine: the packaged app, deployed to a local cloud.

  npm start [-- options]

  --port N        the HTTP API's port (3000)
  --aws-port N    the AWS endpoint's port, for the AWS CLI and any SDK (4566)
  --state DIR     where streams, files and tables are kept (.local)
  --fresh         begin with nothing: what the folder held is deleted
  --chaos [RATE]  bad weather: this percentage (5) of the functions' AWS calls is throttled, refused in
                  part, answered 500 or late, or cut off before or after it was carried out
  --chaos-seed N  throws the same dice as an earlier run; the start prints the seed
  --help          this text
`;

const projectDir = join(import.meta.dirname, '..');
const maxPort = 65_535;
const maxSeed = 2 ** 32 - 1;

interface StartOptions {
  readonly port: number;
  readonly awsPort: number;
  readonly stateDir: string;
  readonly fresh: boolean;
  /** Percentage of the functions' calls that meet a fault. */
  readonly chaosPercent: number;
  readonly chaosSeed: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Metrics are in the functions' log files; on the terminal they would hide what functions say. */
function sayUnlessMetrics(line: string): void {
  if (!line.includes('{"_aws":')) say(line);
}

function complain(line: string, exitCode: number): never {
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}

function readOptions(args: readonly string[]): StartOptions {
  try {
    const { values } = parseArgs({
      args: withChaosRate(args),
      options: {
        port: { type: 'string', default: '3000' },
        'aws-port': { type: 'string', default: '4566' },
        state: { type: 'string', default: join(projectDir, '.local') },
        fresh: { type: 'boolean', default: false },
        chaos: { type: 'string', default: '0' },
        'chaos-seed': { type: 'string', default: String(randomInt(maxSeed)) },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(usage);
      process.exit(0);
    }
    return {
      port: readNumber('--port', 'a number', values.port, maxPort),
      awsPort: readNumber('--aws-port', 'a number', values['aws-port'], maxPort),
      stateDir: values.state,
      fresh: values.fresh,
      chaosPercent: readNumber('--chaos', 'a percentage', values.chaos.replace(/%$/, ''), 100, /^\d+(\.\d+)?$/),
      chaosSeed: readNumber('--chaos-seed', 'a whole number', values['chaos-seed'], maxSeed),
    };
  } catch (error) {
    return complain(`${messageOf(error)}\n\n${usage}`, 2);
  }
}

/** `--chaos` may stand alone, which parseArgs does not know. */
function withChaosRate(args: readonly string[]): string[] {
  const isAlone = (index: number) => args[index] === '--chaos' && /^(-|$)/.test(args[index + 1] ?? '');
  return args.flatMap((arg, index) => (isAlone(index) ? [arg, '5'] : [arg]));
}

function readNumber(flag: string, what: string, text: string, max: number, pattern = /^\d+$/): number {
  if (!pattern.test(text) || Number(text) > max) throw new Error(`${flag} takes ${what} from 0 to ${max}, not ${text}`);
  return Number(text);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as Error & { code?: string; port?: number };
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken. Stop what listens there, or choose others with --port and --aws-port.`;
  }
  return error.message;
}

function stopOnSignals(cloud: Cloud): void {
  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) process.exit(1);
    stopping = true;
    say('stopping …');
    await cloud.stop();
    process.exit(0);
  }
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** Only from here on: a start goes well in any weather. */
function beginChaos(cloud: Cloud, percent: number, seed: number, random: () => number): void {
  if (percent === 0) return;
  cloud.faults.inject(createChaos(percent / 100, random));
  say(`chaos  ${percent} % of the functions' AWS calls meet a fault  (--chaos-seed ${seed} throws the same dice)`);
}

async function main(): Promise<void> {
  const { port, awsPort, stateDir, fresh, chaosPercent, chaosSeed } = readOptions(process.argv.slice(2));
  const packageDir = await packageApp({ projectDir, stage: 'local', log: sayUnlessMetrics });
  const random = seededRandom(chaosSeed);
  const cloud = await createCloud(packageDir, { stateDir, fresh, port, awsPort, random, log: sayUnlessMetrics });
  stopOnSignals(cloud);
  for (const [type, reason] of cloud.skipped) say(`not deployed here: ${type} (${reason})`);
  beginChaos(cloud, chaosPercent, chaosSeed, random);
  say(`AWS    ${cloud.endpoint}  (AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1)`);
  say(`ready  ${cloud.url}`);
}

main().catch(error => complain(process.env.DEBUG ? String(error?.stack ?? error) : messageOf(error), 1));
