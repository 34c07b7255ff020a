import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError, type AwsRequest } from './service.ts';

/** Who signed a request and for which service, as far as its own words say. */
export interface Identity {
  readonly accessKeyId: string;
  readonly service: string;
  readonly region: string;
}

export interface Verification {
  readonly now: () => number;
  /** The secret of an access key; undefined: nobody holds that key. */
  readonly secretOf: (accessKeyId: string) => string | undefined;
}

type PresignedRequest = Pick<AwsRequest, 'method' | 'target' | 'headers'>;

/** The sizes a signed POST policy admits, both inclusive. */
export interface SizeRange {
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", S3 API reference. */
const maxExpirySeconds = 7 * 24 * 3600;
/** How far a client's clock may run ahead. Source: RequestTimeTooSkewed, S3 API reference. */
const maxSkewMs = 15 * 60_000;

/** Reads the credential scope of a header-signed or presigned request; unsigned: undefined. */
export function identify(headers: IncomingHttpHeaders, target: string): Identity | undefined {
  const fromHeader = /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const [accessKeyId, , region, service] = (fromHeader ?? queryOf(target).get('X-Amz-Credential') ?? '').split('/');
  return accessKeyId && region && service ? { accessKeyId, region, service } : undefined;
}

/** Checks a presigned URL's lifetime and signature. Throws the AwsError that S3 would answer. */
export function verifyPresignedUrl(request: PresignedRequest, verification: Verification): void {
  const query = queryOf(request.target);
  const date = query.get('X-Amz-Date') ?? '';
  const expiresSeconds = Number(query.get('X-Amz-Expires'));
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signedAt) || !(expiresSeconds > 0 && expiresSeconds <= maxExpirySeconds)) {
    const message = `A presigned URL needs an X-Amz-Date, and X-Amz-Expires of 1 to ${maxExpirySeconds} seconds`;
    throw new AwsError('AuthorizationQueryParametersError', message);
  }
  if (signedAt > verification.now() + maxSkewMs) throw denied('Request is not valid yet');
  if (signedAt + expiresSeconds * 1000 <= verification.now()) throw denied('Request has expired');

  const canonical = canonicalRequest(request, query);
  const credential = query.get('X-Amz-Credential') ?? '';
  const scope = credential.slice(credential.indexOf('/') + 1);
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`;
  verifySignature(text, credential, query.get('X-Amz-Signature'), verification);
}

function canonicalRequest(request: PresignedRequest, query: URLSearchParams): string {
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  // HTTP/2 has no Host.
  const headers: IncomingHttpHeaders = { host: String(request.headers[':authority']), ...request.headers };
  const unsigned = Object.keys(headers).filter(name => name.startsWith('x-amz-') && !signed.includes(name));
  if (unsigned.length > 0) throw denied(`There were headers present in the request which were not signed: ${unsigned}`);
  const parameters = [...query].filter(([name]) => name !== 'X-Amz-Signature');
  const pairs = parameters.map(([name, value]) => [uriEncode(name), uriEncode(value)] as const);
  pairs.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const path = decodeURIComponent(request.target.split('?')[0] ?? '');
  return [
    request.method,
    path.split('/').map(uriEncode).join('/'),
    pairs.map(pair => pair.join('=')).join('&'),
    ...signed.map(name => `${name}:${String(headers[name] ?? '').trim()}`.replace(/ +/g, ' ')),
    '',
    signed.join(';'),
    query.get('X-Amz-Content-Sha256') ?? headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
}

/**
 * Checks the fields of a browser's POST form (names in lower case) against the policy signed for it: the signature, its
 * expiry, every condition, and that no field goes without one. Throws the AwsError that S3 would answer.
 */
export function verifyPostPolicy(
  bucket: string,
  fields: ReadonlyMap<string, string>,
  verification: Verification,
): SizeRange {
  const policy = fields.get('policy') ?? '';
  verifySignature(policy, fields.get('x-amz-credential') ?? '', fields.get('x-amz-signature'), verification);
  const { expiration, conditions } = parsePolicy(policy);
  // Negated, so that a date nobody can read counts as expired.
  if (!(verification.now() < Date.parse(expiration))) throw denied('Invalid according to Policy: Policy expired.');

  const sizes = { minBytes: 0, maxBytes: Number.POSITIVE_INFINITY };
  const open = new Set([...fields.keys()].filter(name => !/^(policy|x-amz-signature|bucket|x-ignore-.*)$/.test(name)));
  for (const [operator, subject, wanted] of conditions) {
    if (operator === 'content-length-range') {
      sizes.minBytes = Math.max(sizes.minBytes, Number(subject));
      sizes.maxBytes = Math.min(sizes.maxBytes, Number(wanted));
      continue;
    }
    const name = String(subject).slice(1).toLowerCase();
    const value = name === 'bucket' ? bucket : (fields.get(name) ?? '');
    if (operator === 'starts-with' ? !value.startsWith(String(wanted)) : operator !== 'eq' || value !== wanted) {
      const condition = JSON.stringify([operator, subject, wanted]);
      throw denied(`Invalid according to Policy: Policy Condition failed: ${condition}`);
    }
    open.delete(name);
  }
  if (open.size > 0) throw denied(`Invalid according to Policy: Extra input fields: ${[...open].join(', ')}`);
  return sizes;
}

type Condition = readonly [operator: unknown, subject: unknown, wanted: unknown];

function parsePolicy(encoded: string): { expiration: string; conditions: readonly Condition[] } {
  try {
    const { expiration, conditions } = JSON.parse(Buffer.from(encoded, 'base64').toString());
    // `{"acl": "private"}` is short for `["eq", "$acl", "private"]`.
    const long = (short: object) => Object.entries(short).map(([name, value]) => ['eq', `$${name}`, value]);
    return {
      expiration,
      conditions: conditions.flatMap((item: object) => (Array.isArray(item) ? [item] : long(item))),
    };
  } catch {
    throw new AwsError('InvalidPolicyDocument', 'The policy is not the base64 of JSON with expiration and conditions');
  }
}

function verifySignature(
  text: string,
  credential: string,
  signature: string | null | undefined,
  { secretOf }: Verification,
): void {
  const [accessKeyId = '', ...scope] = credential.split('/');
  const secret = secretOf(accessKeyId);
  if (secret === undefined) throw new AwsError('InvalidAccessKeyId', `Nobody has the access key "${accessKeyId}"`, 403);
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of scope) key = createHmac('sha256', key).update(part).digest();
  if (createHmac('sha256', key).update(text).digest('hex') === signature) return;
  const message = 'The signature does not match: check the secret key, the method, the signed headers and parameters';
  throw new AwsError('SignatureDoesNotMatch', message, 403);
}

function queryOf(target: string): URLSearchParams {
  return new URLSearchParams(/\?.*/s.exec(target)?.[0]);
}

/** SigV4 escapes all but unreserved characters; `encodeURIComponent` leaves five more. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function denied(message: string): AwsError {
  return new AwsError('AccessDenied', message, 403);
}
