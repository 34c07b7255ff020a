import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { identify, verifyPostPolicy, verifyPresignedUrl } from '../../local/gate/sigv4.ts';

// The credentials of the examples in AWS's own documentation.
const secretOf = (key: string) =>
  key === 'AKIAIOSFODNN7EXAMPLE' ? 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' : undefined;

describe('identify', () => {
  it('reads an Authorization header, with and without spaces', () => {
    for (const comma of [', ', ',']) {
      const authorization = `AWS4-HMAC-SHA256 Credential=AK/20260729/eu-west-1/kinesis/aws4_request${comma}SignedHeaders=host`;
      expect(identify({ authorization }, '/')).toEqual({ accessKeyId: 'AK', region: 'eu-west-1', service: 'kinesis' });
    }
  });

  it('reads a presigned URL', () => {
    const target = '/b/k?x-id=GetObject&X-Amz-Credential=AK%2F20260729%2Fus-east-1%2Fs3%2Faws4_request';
    expect(identify({}, target)).toEqual({ accessKeyId: 'AK', region: 'us-east-1', service: 's3' });
  });

  it('finds nobody in other requests', () => {
    expect(identify({}, '/')).toBeUndefined();
    expect(identify({ authorization: 'Bearer Credential' }, '/b?X-Amz-Credential=AK')).toBeUndefined();
  });
});

describe('a presigned URL', () => {
  // "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", S3 API reference.
  const parameters = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
    'X-Amz-Date': '20130524T000000Z',
    'X-Amz-Expires': '86400',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  };
  const signedAt = Date.UTC(2013, 4, 24);
  function verify(changes: Record<string, string> = {}, request: object = {}, now = signedAt): void {
    const target = `/test.txt?${new URLSearchParams({ ...parameters, ...changes })}`;
    const sent = { method: 'GET', target, headers: { host: 'examplebucket.s3.amazonaws.com' }, ...request };
    verifyPresignedUrl(sent, { now: () => now, secretOf });
  }

  it('of the documentation is genuine', () => {
    verify();
  });

  it('of HTTP/2, which has no Host, is genuine', () => {
    verify({}, { headers: { ':authority': 'examplebucket.s3.amazonaws.com' } });
  });

  it.each([
    ['another method', {}, { method: 'PUT' }, 'SignatureDoesNotMatch'],
    ['another host', {}, { headers: { host: 'other' } }, 'SignatureDoesNotMatch'],
    ['another parameter', { versionId: '1' }, {}, 'SignatureDoesNotMatch'],
    ['a longer life', { 'X-Amz-Expires': '86401' }, {}, 'SignatureDoesNotMatch'],
    ['an unknown key', { 'X-Amz-Credential': 'AKOTHER/20130524/us-east-1/s3/aws4_request' }, {}, 'InvalidAccessKeyId'],
    ['more than seven days', { 'X-Amz-Expires': '604801' }, {}, 'AuthorizationQueryParametersError'],
    ['no expiry', { 'X-Amz-Expires': '' }, {}, 'AuthorizationQueryParametersError'],
    ['no date', { 'X-Amz-Date': 'today' }, {}, 'AuthorizationQueryParametersError'],
    ['a header it was not signed for', {}, { headers: { host: 'h', 'x-amz-meta-a': 'b' } }, 'AccessDenied'],
  ])('is refused with %s', (_, changes, request, code) => {
    expect(() => verify(changes, request)).toThrow(expect.objectContaining({ code }));
  });

  it('lives from its date to its expiry, and a clock may be a quarter of an hour behind', () => {
    const day = 24 * 3600_000;
    verify({}, {}, signedAt + day - 1);
    expect(() => verify({}, {}, signedAt + day)).toThrow('Request has expired');
    verify({}, {}, signedAt - 15 * 60_000);
    expect(() => verify({}, {}, signedAt - 15 * 60_000 - 1)).toThrow('Request is not valid yet');
  });
});

describe('a POST policy', () => {
  // "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)", S3 API reference.
  const example = [
    '{ "expiration": "2015-12-30T12:00:00.000Z",',
    '  "conditions": [',
    '    {"bucket": "sigv4examplebucket"},',
    '    ["starts-with", "$key", "user/user1/"],',
    '    {"acl": "public-read"},',
    '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
    '    ["starts-with", "$Content-Type", "image/"],',
    '    {"x-amz-meta-uuid": "14365123651274"},',
    '    {"x-amz-server-side-encryption": "AES256"},',
    '    ["starts-with", "$x-amz-meta-tag", ""],',
    '',
    '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
    '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
    '    {"x-amz-date": "20151229T000000Z" }',
    '  ]',
    '}',
  ].join('\r\n');
  const fields = {
    key: 'user/user1/${filename}',
    acl: 'public-read',
    success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
    'content-type': 'image/jpeg',
    'x-amz-meta-uuid': '14365123651274',
    'x-amz-server-side-encryption': 'AES256',
    'x-amz-meta-tag': '',
    'x-amz-credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-date': '20151229T000000Z',
    policy: Buffer.from(example).toString('base64'),
    'x-amz-signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  };
  const signedAt = Date.UTC(2015, 11, 29);
  function verify(changes: Record<string, string> = {}, bucket = 'sigv4examplebucket', now = signedAt) {
    return verifyPostPolicy(bucket, new Map(Object.entries({ ...fields, ...changes })), { now: () => now, secretOf });
  }
  /** The same form under a policy of our own. */
  function verifySigned(policy: unknown) {
    const encoded = Buffer.from(JSON.stringify(policy)).toString('base64');
    const scope = ['20151229', 'us-east-1', 's3', 'aws4_request'];
    const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text);
    const key = scope.reduce<string | Buffer>(
      (last, part) => hmac(last, part).digest(),
      `AWS4${secretOf('AKIAIOSFODNN7EXAMPLE')}`,
    );
    const own = { key: 'k', 'x-amz-credential': fields['x-amz-credential'], policy: encoded };
    const signed = new Map(Object.entries({ ...own, 'x-amz-signature': hmac(key, encoded).digest('hex') }));
    return verifyPostPolicy('b', signed, { now: () => signedAt, secretOf });
  }

  it('of the documentation admits its form, of any size', () => {
    expect(verify()).toEqual({ minBytes: 0, maxBytes: Number.POSITIVE_INFINITY });
  });

  it.each([
    ['another key', { key: 'user/user2/a' }, 'Policy Condition failed: ["starts-with","$key","user/user1/"]'],
    [
      'another type',
      { 'content-type': 'text/html' },
      'Policy Condition failed: ["starts-with","$Content-Type","image/"]',
    ],
    ['another value', { acl: 'private' }, 'Policy Condition failed: ["eq","$acl","public-read"]'],
    ['a field of no condition', { 'x-amz-meta-extra': '1' }, 'Extra input fields: x-amz-meta-extra'],
    ['another policy', { policy: 'e30=' }, 'The signature does not match'],
    [
      'a key that nobody has',
      { 'x-amz-credential': 'AKOTHER/20151229/us-east-1/s3/aws4_request' },
      'Nobody has the access key',
    ],
  ])('is refused with %s', (_, changes, message) => {
    expect(() => verify(changes)).toThrow(message);
  });

  it('is refused for another bucket, and once expired', () => {
    expect(() => verify({}, 'other')).toThrow('["eq","$bucket","sigv4examplebucket"]');
    expect(() => verify({}, 'sigv4examplebucket', Date.UTC(2015, 11, 30, 12))).toThrow('Policy expired');
  });

  it('lets a form carry fields to be ignored', () => {
    expect(() => verify({ 'x-ignore-note': 'anything' })).not.toThrow();
  });

  it('tells the narrowest of its size ranges', () => {
    const conditions = [
      ['eq', '$key', 'k'],
      ['starts-with', '$x-amz-credential', ''],
      ['content-length-range', 1, 100],
      ['content-length-range', 0, 10],
    ];
    expect(verifySigned({ expiration: '2015-12-30T00:00:00Z', conditions })).toEqual({ minBytes: 1, maxBytes: 10 });
  });

  it.each([
    ['a policy without conditions', { expiration: '2015-12-30T00:00:00Z' }, 'not the base64 of JSON'],
    ['one that never expires', { conditions: [] }, 'Policy expired'],
    [
      'an operator nobody knows',
      { expiration: '2015-12-30T00:00:00Z', conditions: [['like', '$key', 'k']] },
      'Policy Condition failed',
    ],
  ])('is refused as %s', (_, policy, message) => {
    expect(() => verifySigned(policy)).toThrow(message);
  });
});
