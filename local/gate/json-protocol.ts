import { buffer } from 'node:stream/consumers';
import { AwsError, type AwsRequest, type Call, type Grant, type Reply, type Service } from './service.ts';

/** One action of an AWS JSON 1.0/1.1 service. */
export interface JsonAction {
  /** The resource ARNs the caller's role must allow; absent: `*`. */
  readonly resources?: (input: JsonInput) => readonly string[];
  readonly perform: (input: JsonInput, request: AwsRequest) => unknown;
}

/** The decoded body; each action reads its own members. */
export type JsonInput = Record<string, unknown>;

export interface JsonServiceOptions {
  readonly name: string;
  /** IAM prefix where it differs from the SigV4 name. */
  readonly iamPrefix?: string;
  /** `Kinesis_20131202` in `X-Amz-Target: Kinesis_20131202.PutRecords`. */
  readonly targetPrefix: string;
  readonly version?: '1.0' | '1.1';
  /** AWS refuses larger requests too; Kinesis takes 10 MiB, most services 1 MiB. */
  readonly maxBodyBytes?: number;
  readonly actions: Readonly<Record<string, JsonAction>>;
}

const defaultMaxBodyBytes = 16 * 1024 * 1024;

/** A service of the AWS JSON protocol as a table of actions. */
export function createJsonService(options: JsonServiceOptions): Service {
  const contentType = `application/x-amz-json-${options.version ?? '1.1'}`;
  const iamPrefix = options.iamPrefix ?? options.name;

  async function receive(request: AwsRequest): Promise<Call> {
    const [prefix, action = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const known = prefix === options.targetPrefix ? options.actions[action] : undefined;
    if (!known) {
      throw new AwsError(
        'UnknownOperationException',
        `The local ${options.name} does not know ${action || 'this request'}`,
      );
    }
    const input = parse(await readBody(request, options.maxBodyBytes ?? defaultMaxBodyBytes));
    const resources = known.resources?.(input) ?? ['*'];
    const grants: Grant[] = resources.map(resource => ({ action: `${iamPrefix}:${action}`, resource }));
    return {
      action,
      grants,
      input,
      perform: async () => ok(await known.perform(input, request)),
      performWith: async changed => ok(await known.perform(changed, request)),
    };
  }

  function ok(output: unknown): Reply {
    return {
      status: 200,
      headers: { 'content-type': contentType },
      body: output == null ? '' : JSON.stringify(output),
    };
  }

  function fail(error: AwsError): Reply {
    const body = JSON.stringify({ __type: error.code, message: error.message });
    return { status: error.status, headers: { 'content-type': contentType, 'x-amzn-errortype': error.code }, body };
  }

  return { name: options.name, receive, fail };
}

/** Reads a body of at most `maxBytes`; more is refused before it is held in memory. */
export async function readBody(request: AwsRequest, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  let total = 0;
  const limited = request.body.map((chunk: Buffer) => {
    total += chunk.length;
    if (total > maxBytes) throw tooLarge(maxBytes);
    return chunk;
  });
  return buffer(limited);
}

function tooLarge(maxBytes: number): AwsError {
  return new AwsError('RequestEntityTooLargeException', `The request is larger than ${maxBytes} bytes`, 413);
}

function parse(body: Buffer): JsonInput {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as JsonInput;
  } catch {
    // falls through to the same answer as a value that is no object
  }
  throw new AwsError('SerializationException', 'The request body is not a JSON object');
}
