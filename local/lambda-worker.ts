import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

// One instance of a function, with the error names of Lambda's own Node.js runtime interface client.
// lambda-instances.ts runs this file's text as a worker thread, so it imports nothing but Node.

/** What an instance is asked to do. Events and payloads cross the threads as JSON text. */
export interface Invocation {
  readonly requestId: string;
  readonly event: string;
  readonly invokedFunctionArn: string;
  readonly timeoutMs: number;
  readonly clientContext: unknown;
}

export type FunctionError = { readonly errorType: string; readonly errorMessage: string; readonly trace?: string[] };

/** A line of output, the end of an invocation, or the error that an instance exits with. */
export type WorkerMessage = { log: string } | { payload: string } | { error: FunctionError } | { fatal: FunctionError };

/** The 6 MB of https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, as Lambda counts them. */
const maxPayloadBytes = 6_291_556;

const post = (message: WorkerMessage): void => parentPort?.postMessage(message);

/** Sends every write at once: lines written before an endless loop or an exit must not be lost. */
function captureOutput(stream: NodeJS.WriteStream): void {
  const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    post({ log: text.endsWith('\n') ? text.slice(0, -1) : text });
    const written = rest.at(-1);
    if (typeof written === 'function') written();
    return true;
  };
  stream.write = write as typeof stream.write;
}

/** `src/handlers/flow/verb-noun.handler` is the export `handler` of `src/handlers/flow/verb-noun.{js,mjs,cjs}`. */
function loadHandler(taskRoot: string, path: string): (event: unknown, context: object) => unknown {
  const dot = path.indexOf('.', path.lastIndexOf('/') + 1);
  const modulePath = join(taskRoot, path.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs'].map(extension => modulePath + extension).find(existsSync);
  if (!file) throw named('Runtime.ImportModuleError', `Error: Cannot find module '${path.slice(0, dot)}'`);
  const handler = createRequire(file)(file)[path.slice(dot + 1)];
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${path} is undefined or not exported`);
  // Lambda's nodejs24.x refuses such functions too: one that worked here would fail there.
  if (handler.length > 2) throw named('Runtime.CallbackHandlerDeprecated', 'Node.js 24 on Lambda takes no callbacks');
  return handler;
}

function contextOf({ timeoutMs, requestId, invokedFunctionArn, clientContext }: Invocation): object {
  const deadline = Date.now() + timeoutMs;
  return {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    awsRequestId: requestId,
    invokedFunctionArn,
    clientContext,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function serialise(result: unknown): string {
  let payload = 'null';
  try {
    payload = JSON.stringify(result) ?? 'null';
  } catch {
    throw named('Runtime.JSONStringifyError', 'Unable to stringify response body');
  }
  if (Buffer.byteLength(payload) <= maxPayloadBytes) return payload;
  const message = `Response payload size exceeded maximum allowed payload size (${maxPayloadBytes} bytes).`;
  throw named('Function.ResponseSizeTooLarge', message);
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

/** An error as Lambda answers it; the log gets it too. */
function described(thrown: unknown): FunctionError {
  const error =
    thrown instanceof Error
      ? { errorType: thrown.name, errorMessage: thrown.message, trace: thrown.stack?.split('\n') ?? [] }
      : { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  post({ log: JSON.stringify({ level: 'ERROR', ...error }) });
  return error;
}

captureOutput(process.stdout);
captureOutput(process.stderr);
process.on('uncaughtException', error => {
  post({ fatal: described(error) });
  process.exit(129);
});
process.on('unhandledRejection', reason => {
  post({ fatal: described(named('Runtime.UnhandledPromiseRejection', String(reason))) });
  process.exit(128);
});
const handler = loadHandler(workerData.taskRoot, workerData.handler);
parentPort?.on('message', async (invocation: Invocation) => {
  try {
    post({ payload: serialise(await handler(JSON.parse(invocation.event), contextOf(invocation))) });
  } catch (error) {
    post({ error: described(error) });
  }
});
