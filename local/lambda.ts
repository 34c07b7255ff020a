import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { unzipSync } from 'fflate';
import { AwsError, type Caller } from './gate/service.ts';
import { createInstances, type Instances } from './lambda-instances.ts';
import type { FunctionError } from './lambda-worker.ts';
import { type CloudContext, type CloudPart, provider, type ResourceSpec } from './part.ts';
import { createLambdaService } from './services/lambda/lambda-api.ts';

export interface InvokeResult {
  readonly requestId: string;
  readonly payload: unknown;
  readonly error?: FunctionError;
  readonly logs: readonly string[];
  readonly durationMs: number;
}

/** `maxWaitMs`: how long the event may wait for an instance to come free. */
export type InvokeOptions = { readonly clientContext?: unknown; readonly maxWaitMs?: number };

export interface Lambda extends CloudPart {
  /** Rejects (AwsError) an unknown function, too large an event, too long a wait; never for the function's own error. */
  readonly invoke: (functionNameOrArn: string, event: unknown, options?: InvokeOptions) => Promise<InvokeResult>;
  /** Invokes asynchronously: an event that fails is tried again, then dropped with a line in the log. */
  readonly send: (functionNameOrArn: string, event: unknown) => Promise<void>;
  readonly callerOf: (accessKeyId: string) => Caller | undefined;
  readonly secretOf: (accessKeyId: string) => string | undefined;
  readonly roleArnOf: (functionNameOrArn: string) => string;
}

export interface LambdaOptions {
  /** Holds `<function>.zip` as Serverless packaged it. */
  readonly packageDir: string;
  readonly endpoint: () => string;
  readonly idleMs?: number;
  readonly retryDelaysMs?: readonly number[];
}

/** AWS::Lambda::Function as Serverless writes it. */
export interface FunctionProperties {
  readonly FunctionName: string;
  readonly Runtime: string;
  readonly Handler: string;
  readonly Role: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Code: { readonly S3Key: string };
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
}

export interface LambdaFunction {
  readonly arn: string;
  readonly properties: FunctionProperties;
  readonly secretAccessKey: string;
  readonly instances: Instances;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxEventBytes = 6 * 1024 * 1024;
const longestTimeoutMs = 15 * 60_000;
/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: one minute, then two. */
const lambdaRetryDelaysMs = [60_000, 120_000];

/** Lambda: the packaged functions, each in worker threads of its own. */
export function createLambda(context: CloudContext, options: LambdaOptions): Lambda {
  const { packageDir, endpoint, idleMs = 60_000, retryDelaysMs = lambdaRetryDelaysMs } = options;
  const functions = new Map<string, LambdaFunction>();
  const byAccessKey = new Map<string, LambdaFunction>();
  const stopping = new AbortController();
  const logsDir = join(context.stateDir, 'logs');
  mkdirSync(logsDir, { recursive: true });

  const deploy = provider(({ logicalId, properties }: ResourceSpec<FunctionProperties>) => {
    const { FunctionName: name, Handler: handler, MemorySize: memoryMb } = properties;
    const zipFile = join(packageDir, basename(properties.Code.S3Key));
    if (!existsSync(zipFile)) throw new Error(`${logicalId} cannot be deployed: its code, ${zipFile}, is missing`);
    const arn = `arn:aws:lambda:${context.region}:${context.accountId}:function:${name}`;
    const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const secretAccessKey = randomBytes(30).toString('base64');
    const taskRoot = unzip(zipFile, join(context.stateDir, 'functions', name));
    const env = {
      ...environmentOf(properties, context.region, taskRoot),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: accessKeyId,
      AWS_ENDPOINT_URL: endpoint(),
    };
    const log = (line: string) => {
      appendFileSync(join(logsDir, `${name}.log`), `${line}\n`);
      context.log(`${name}  ${line}`);
    };
    functions.get(name)?.instances.stop();
    const instances = createInstances({ taskRoot, handler, env, memoryMb, idleMs, log });
    const deployed = { arn, properties, secretAccessKey, instances };
    functions.set(name, deployed);
    byAccessKey.set(accessKeyId, deployed);
    return { ref: name, attributes: { Arn: arn } };
  });

  const qualify = provider(({ properties }: ResourceSpec<{ FunctionName: string; Name?: string }>) => ({
    ref: `${find(properties.FunctionName).arn}:${properties.Name ?? '1'}`,
    attributes: { Version: '1' },
  }));

  /** Takes a name or an ARN, either with or without a version or alias. */
  function find(functionNameOrArn: string): LambdaFunction {
    const name = functionNameOrArn.replace(/^(arn:aws:lambda:[^:]+:)?\d+:function:/, '').replace(/:.*/, '');
    const found = functions.get(name);
    if (!found) throw new AwsError('ResourceNotFoundException', `Function not found: ${functionNameOrArn}`, 404);
    return found;
  }

  async function invoke(target: string, event: unknown, given: InvokeOptions = {}): Promise<InvokeResult> {
    const { arn, properties, instances } = find(target);
    const text = JSON.stringify(event) ?? 'null';
    if (Buffer.byteLength(text) > maxEventBytes) {
      const message = `Request must be smaller than ${maxEventBytes} bytes for the InvokeFunction operation`;
      throw new AwsError('RequestEntityTooLargeException', message, 413);
    }
    const invocation = {
      requestId: randomUUID(),
      event: text,
      invokedFunctionArn: target.startsWith('arn:') ? target : arn,
      timeoutMs: properties.Timeout * 1000,
      clientContext: given.clientContext,
    };
    return instances.run(invocation, given.maxWaitMs ?? longestTimeoutMs);
  }

  async function send(target: string, event: unknown): Promise<void> {
    let failure: unknown;
    for (const delayMs of [0, ...retryDelaysMs]) {
      try {
        await delay(delayMs, undefined, { signal: stopping.signal });
        failure = (await invoke(target, event)).error?.errorMessage;
        if (!failure) return;
      } catch (error) {
        failure = error;
      }
    }
    context.log(`${target} did not take an event, which is dropped: ${failure}`);
  }

  return {
    invoke,
    send,
    callerOf: accessKeyId => {
      const found = byAccessKey.get(accessKeyId)?.properties;
      return found && { kind: 'function', accessKeyId, functionName: found.FunctionName, roleArn: found.Role };
    },
    roleArnOf: target => find(target).properties.Role,
    secretOf: accessKeyId => byAccessKey.get(accessKeyId)?.secretAccessKey,
    services: [createLambdaService({ functions, find, invoke, send })],
    providers: {
      'AWS::Lambda::Function': deploy,
      'AWS::Lambda::Version': qualify,
      'AWS::Lambda::Alias': qualify,
      'AWS::Lambda::Permission': ({ logicalId }) => ({ ref: logicalId }),
      'AWS::Lambda::EventInvokeConfig': ({ logicalId }) => ({ ref: logicalId }),
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([...functions.values()].map(({ instances }) => instances.stop()));
    },
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function environmentOf(properties: FunctionProperties, region: string, taskRoot: string): Record<string, string> {
  return {
    ...properties.Environment?.Variables,
    _HANDLER: properties.Handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${properties.Runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: properties.FunctionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(properties.MemorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${properties.FunctionName}`,
    LAMBDA_TASK_ROOT: taskRoot,
    PATH: process.env.PATH ?? '',
    // Not the person's own home: the SDK would read ~/.aws there.
    HOME: taskRoot,
    TZ: ':UTC',
  };
}

/** Unzips a function's code once for each content, in place of any earlier one. */
function unzip(zipFile: string, codeDir: string): string {
  const zip = readFileSync(zipFile);
  const taskRoot = join(codeDir, createHash('sha256').update(zip).digest('hex').slice(0, 16));
  if (existsSync(taskRoot)) return taskRoot;
  rmSync(codeDir, { recursive: true, force: true });
  for (const [path, content] of Object.entries(unzipSync(zip))) {
    const file = join(`${taskRoot}.unfinished`, path);
    mkdirSync(dirname(file), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(file, content);
  }
  renameSync(`${taskRoot}.unfinished`, taskRoot);
  return taskRoot;
}
