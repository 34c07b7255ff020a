import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cloud, createCloud } from './cloud.ts';
import { packageApp } from './package.ts';

const usage = `Tableside on this machine: the packaged app, deployed to a local cloud.

  npm start [-- options]

  --port N      the HTTP API's port (3000)
  --aws-port N  the AWS endpoint's port, for the AWS CLI and any SDK (4566)
  --state DIR   where streams, files and tables are kept (.local)
  --fresh       begin with nothing: what the folder held is deleted
  --help        this text
`;

const projectDir = join(import.meta.dirname, '..');

interface StartOptions {
  readonly port: number;
  readonly awsPort: number;
  readonly stateDir: string;
  readonly fresh: boolean;
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
      args: [...args],
      options: {
        port: { type: 'string', default: '3000' },
        'aws-port': { type: 'string', default: '4566' },
        state: { type: 'string', default: join(projectDir, '.local') },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(usage);
      process.exit(0);
    }
    return {
      port: readPort('--port', values.port),
      awsPort: readPort('--aws-port', values['aws-port']),
      stateDir: values.state,
      fresh: values.fresh,
    };
  } catch (error) {
    return complain(`${messageOf(error)}\n\n${usage}`, 2);
  }
}

function readPort(flag: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${flag} takes a number from 0 to 65535, not ${text}`);
  return port;
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

async function main(): Promise<void> {
  const { port, awsPort, stateDir, fresh } = readOptions(process.argv.slice(2));
  const packageDir = await packageApp({ projectDir, stage: 'local', log: sayUnlessMetrics });
  const cloud = await createCloud(packageDir, { stateDir, fresh, port, awsPort, log: sayUnlessMetrics });
  stopOnSignals(cloud);
  for (const [type, reason] of cloud.skipped) say(`not deployed here: ${type} (${reason})`);
  say(`AWS    ${cloud.endpoint}  (AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1)`);
  say(`ready  ${cloud.url}`);
}

main().catch(error => complain(process.env.DEBUG ? String(error?.stack ?? error) : messageOf(error), 1));
