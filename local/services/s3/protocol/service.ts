import { AwsError, type AwsRequest, type Call, type Grant, type Reply, type Service } from '../../../gate/service.ts';
import { type Verification, verifyPresignedUrl } from '../../../gate/sigv4.ts';
import { type CorsRule, corsHeaders } from './cors.ts';
import { type Content, xml } from './xml.ts';

/** What a path-style URL names. */
export interface Address {
  readonly bucket: string;
  /** Empty: the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
}
export type S3Request = AwsRequest & Address;
export type Operation = (request: S3Request) => Call | Promise<Call>;
/** By method, level and sub-resource: `POST object?uploads`. */
export type Operations = Readonly<Record<string, Operation>>;
type Perform = (request: S3Request) => Reply | Promise<Reply>;

/** Parameters of operations; any other names a sub-resource. */
const parameter =
  /^(x-.*|response-.*|versionId|list-type|prefix|delimiter|max-keys|continuation-token|start-after|encoding-type|fetch-owner)$/i;
const maxKeyBytes = 1024;
const keyTooLong = () => new AwsError('KeyTooLongError', `A key has at most ${maxKeyBytes} bytes`);

const unsigned = () => new AwsError('AccessDenied', 'Sign the request: nothing here is public', 403);
export const noSuchBucket = (name: string) => new AwsError('NoSuchBucket', `The bucket ${name} does not exist`, 404);

/** An operation that needs one action on the object or bucket of its URL. */
export function operation(action: string, perform: Perform, iamAction = action): Operation {
  return request => ({ action, grants: [grant(iamAction, request)], perform: async () => perform(request) });
}

export function grant(action: string, { bucket, key, query }: Address): Grant {
  const version = query.has('versionId') ? 'Version' : '';
  return { action: `s3:${action}${version}`, resource: bucket ? `arn:aws:s3:::${bucket}${key && `/${key}`}` : '*' };
}

export function xmlReply(root: string, content: Content, headers: Reply['headers'] = {}): Reply {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body: xml(root, content) };
}

/** The S3 REST protocol over path-style URLs: finds the operation, verifies links, adds CORS headers, writes errors. */
export function createS3Service(
  operations: Operations,
  verification: Verification,
  bucketNamed: (name: string) => { readonly cors?: readonly CorsRule[] } | undefined,
): Service {
  function commonHeaders({ id, target, method, headers }: AwsRequest) {
    const bucket = headers.origin ? bucketNamed(target.split(/[/?]/)[1] ?? '') : undefined;
    return { 'x-amz-request-id': id, ...corsHeaders(bucket?.cors ?? [], method, headers) };
  }

  async function receive(raw: AwsRequest): Promise<Call> {
    const request = parse(raw);
    const name = operationName(request);
    const operation = raw.method === 'OPTIONS' ? preflight : operations[name];
    if (!operation) throw new AwsError('NotImplemented', `The local S3 does not do ${name}`, 501);
    if (request.query.has('X-Amz-Signature')) verifyPresignedUrl(raw, verification);
    else if (raw.caller.kind === 'anonymous' && raw.method !== 'OPTIONS' && name !== 'POST bucket') throw unsigned();
    const call = await operation(request);
    const perform = async (): Promise<Reply> => {
      if (request.bucket && name !== 'PUT bucket' && !bucketNamed(request.bucket)) throw noSuchBucket(request.bucket);
      const reply = await call.perform();
      return { ...reply, headers: { ...commonHeaders(raw), ...reply.headers } };
    };
    return { ...call, perform };
  }

  function preflight(request: S3Request): Call {
    const admitted = 'vary' in commonHeaders(request);
    if (admitted) return { action: 'Preflight', grants: [], perform: async () => ({ status: 200 }) };
    throw new AwsError('AccessForbidden', 'No CORS rule of the bucket admits this origin, method and headers', 403);
  }

  function fail({ code, message, status }: AwsError, raw: AwsRequest): Reply {
    const error = { Code: code, Message: message, Resource: raw.target.split('?')[0], RequestId: raw.id };
    return { ...xmlReply('Error', error, commonHeaders(raw)), status };
  }

  return { name: 's3', receive, fail };
}

function operationName({ method, bucket, key, query }: S3Request): string {
  const level = key ? 'object' : bucket ? 'bucket' : 'service';
  const subresources = [...query.keys()].filter(name => !parameter.test(name));
  return [`${method} ${level}`, subresources.sort().join('&')].filter(Boolean).join('?');
}

/** Takes the URL apart. What a presigned URL carries as an `x-amz-*` parameter counts as a header. */
function parse(raw: AwsRequest): S3Request {
  const address = addressOf(raw.target);
  if (Buffer.byteLength(address.key) > maxKeyBytes) throw keyTooLong();
  // But not its checksum: SDKs sign that of an empty body, and S3 ignores it (github.com/localstack/localstack/issues/12169).
  const said = [...address.query].filter(([name]) => name.startsWith('x-amz-') && !name.startsWith('x-amz-checksum-'));
  const headers = Object.fromEntries(said.map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));
  return { ...raw, ...address, headers: { ...headers, ...raw.headers } };
}

/** What `/bucket/key?parameters`, percent-encoded, names. */
export function addressOf(target: string): Address {
  const [path = '', search] = target.split('?');
  try {
    const [, bucket = '', ...segments] = decodeURIComponent(path).split('/');
    return { bucket, key: segments.join('/'), query: new URLSearchParams(search) };
  } catch {
    throw new AwsError('InvalidURI', 'The path is not valid percent-encoding');
  }
}
