import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createDuckdb } from './engines/duckdb.ts';
import { createKinesisEventSource } from './event-sources/kinesis.ts';
import { createAuthorizer } from './gate/authorize.ts';
import { createFaults, type Faults } from './gate/faults.ts';
import { type Gate, openGate } from './gate/listen.ts';
import { createMeter, type Meter } from './gate/meter.ts';
import { createHttpApi } from './http-api.ts';
import { createLambda } from './lambda.ts';
import { lockFolder } from './lock.ts';
import { createNotDeployed } from './not-deployed.ts';
import type { CloudContext, CloudPart, Provider } from './part.ts';
import { createAthena } from './services/athena/athena.ts';
import { createCloudWatch } from './services/cloudwatch/cloudwatch.ts';
import { createControlServices } from './services/control/control.ts';
import { createFirehose } from './services/firehose/firehose.ts';
import { createGlue } from './services/glue/glue.ts';
import { createRoles } from './services/iam/roles.ts';
import { createKinesis } from './services/kinesis/kinesis.ts';
import { createS3 } from './services/s3/s3.ts';
import { openState } from './state.ts';
import { type Deployment, deployTemplate, type Template } from './template.ts';

export interface CloudOptions {
  /** Template parameters that differ from their defaults. */
  readonly parameters?: Readonly<Record<string, string | number>>;
  /** Where everything is kept; one cloud at a time holds it. */
  readonly stateDir: string;
  /** Begin with nothing: what `stateDir` held is deleted. */
  readonly fresh?: boolean;
  /** The HTTP API's port; 0 takes any free one. */
  readonly port?: number;
  /** The AWS endpoint's port; 0 takes any free one. */
  readonly awsPort?: number;
  readonly log?: (line: string) => void;
  /** From 0 to 1, decides whether a fault strikes; seed it for a run that can be repeated. */
  readonly random?: () => number;
}

export interface Cloud {
  /** The AWS endpoint, for any SDK or the AWS CLI. */
  readonly endpoint: string;
  /** The HTTP API. */
  readonly url: string;
  readonly deployment: Deployment;
  /** Resource types that do nothing here, with the reason. */
  readonly skipped: ReadonlyMap<string, string>;
  readonly meter: Meter;
  readonly faults: Faults;
  /** Which grants of which role were used so far: `<role ARN> <action>`. */
  readonly usedGrants: () => ReadonlySet<string>;
  readonly stop: () => Promise<void>;
}

/** How to take back one step of the start. */
type Undo = () => unknown;

const templateFile = 'cloudformation-template-update-stack.json';

/**
 * Deploys a packaged app to a cloud of this process: `packageDir` holds what `sls package` wrote.
 * Rejects with a sentence where the folder is in use, a port is taken or the template cannot be deployed.
 */
export async function createCloud(packageDir: string, options: CloudOptions): Promise<Cloud> {
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true }).catch(error => {
    throw new Error(`${stateDir} cannot be a folder for the state (${error.code}): choose another with --state.`);
  });
  const release = lockFolder(stateDir);
  if (!release)
    throw new Error(`Another Tableside is running on ${stateDir}. Stop it, or choose another folder with --state.`);
  const undo: Undo[] = [release];
  async function stop(): Promise<void> {
    for (const step of undo.splice(0).reverse()) await step();
  }
  try {
    const dataDir = join(stateDir, 'data');
    if (options.fresh) await wipe(dataDir);
    await mkdir(dataDir, { recursive: true });
    const template: Template = JSON.parse(await readFile(join(packageDir, templateFile), 'utf8'));
    return { ...(await start(packageDir, template, dataDir, options, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Deletes what an earlier cloud kept, and nothing that is somebody else's. */
async function wipe(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch((): string[] => []);
  if (names.length > 0 && !names.includes('state.sqlite')) {
    throw new Error(`${dataDir} holds files that are not Tableside's: --fresh deletes nothing there.`);
  }
  await rm(dataDir, { recursive: true, force: true });
}

async function start(
  packageDir: string,
  template: Template,
  stateDir: string,
  options: CloudOptions,
  undo: Undo[],
): Promise<Omit<Cloud, 'stop'>> {
  const log = options.log ?? (() => {});
  const context: CloudContext = { region: 'us-east-1', accountId: '000000000000', stateDir, now: Date.now, log };
  const stackName = stackNameOf(template);
  let gate: Gate | undefined;
  let deployment: Deployment | undefined;

  const state = openState(stateDir);
  undo.push(state.close);
  const duckdb = createDuckdb({ dir: stateDir, log });
  undo.push(duckdb.stop);
  const lambda = createLambda(context, { packageDir, endpoint: () => gate?.endpoint ?? '' });
  const s3 = createS3(context, { secretOf: key => lambda.secretOf(key) ?? operatorSecret });
  const kinesis = await createKinesis(context);
  const glue = createGlue(context, { state });
  const firehose = createFirehose(context, { s3, kinesis, glue, duckdb, state });
  const athena = createAthena(context, { s3, glue, duckdb, state });
  const httpApi = createHttpApi(context, { lambda, port: options.port ?? 0 });
  const roles = createRoles(context);
  const { roleArnOf } = lambda;
  const kinesisEvents = createKinesisEventSource(context, { kinesis, lambda, state, sendToDestination, roleArnOf });
  // Stopped from the last to the first: those who call, then the gate that they call through, then who is called.
  const called: CloudPart[] = [roles, s3, kinesis, glue, athena, firehose];
  const callers: CloudPart[] = [lambda, kinesisEvents, httpApi];
  const parts = [...called, ...callers];
  const stopsOf = (some: readonly CloudPart[]) => some.flatMap(part => part.stop ?? []);
  undo.push(...stopsOf(called), () => gate?.stop(), ...stopsOf(callers));

  const meter = createMeter();
  const authorizer = createAuthorizer(roles.policiesOf);
  const faults = createFaults(options.random ?? Math.random);
  const control = createControlServices(context, { stackName, deployment: () => deployment });
  const services = [...control, createCloudWatch(context), ...parts.flatMap(part => part.services ?? [])];
  const { callerOf } = lambda;
  gate = await openGate({ port: options.awsPort ?? 0, services, callerOf, authorizer, faults, meter, log });

  const skipped = new Map<string, string>();
  const providers: Record<string, Provider> = { ...createNotDeployed(context, (type, why) => skipped.set(type, why)) };
  for (const part of parts) Object.assign(providers, part.providers);
  deployment = await deployTemplate(template, { context, stackName, parameters: options.parameters ?? {}, providers });
  for (const part of parts) await part.start?.();
  return {
    endpoint: gate.endpoint,
    url: httpApi.url(),
    deployment,
    skipped,
    meter,
    faults,
    usedGrants: authorizer.used,
  };
}

/** What a person signs with: `AWS_SECRET_ACCESS_KEY=local`. Only links and form uploads are checked against it. */
const operatorSecret = 'local';

function sendToDestination(arn: string): Promise<void> {
  return Promise.reject(new Error(`The local cloud has no queue or topic ${arn} to send a failed batch to`));
}

/** osls writes the stage into every name; the service bucket's tags do not carry it, an output does. */
function stackNameOf(template: Template): string {
  return `tableside-${String(template.Outputs?.StageName?.Value ?? 'local')}`;
}
