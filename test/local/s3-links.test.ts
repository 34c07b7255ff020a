import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type S3Fixture, startS3 } from './s3-fixture.ts';

let fixture: S3Fixture;
beforeEach(async () => {
  fixture = await startS3();
});
afterEach(() => fixture.stop());

const codeOf = async (answer: Response) => `${answer.status} ${/<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1]}`;
const textOf = async (Key: string) => {
  const answer = await fixture.client.send(new GetObjectCommand({ Bucket: 'b', Key }));
  return answer.Body?.transformToString();
};
const key = 'clips/ein Film+(ü)*.mp4';

describe('a presigned URL', () => {
  it('reads the object it was signed for, with the type it asks for', async () => {
    await fixture.s3.put('b', key, Buffer.from('film'));
    const command = new GetObjectCommand({ Bucket: 'b', Key: key, ResponseContentType: 'video/mp4' });
    const url = await getSignedUrl(fixture.client, command);
    const answer = await fetch(url, { headers: { range: 'bytes=1-2' } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-type')).toBe('video/mp4');
    expect(await answer.text()).toBe('il');
  });

  it('writes with the metadata that was signed into it', async () => {
    const command = new PutObjectCommand({ Bucket: 'b', Key: key, Metadata: { a: 'b', 'a-b': 'ü' } });
    const url = await getSignedUrl(fixture.client, command);
    const answer = await fetch(url, { method: 'PUT', body: 'film', headers: { 'content-type': 'video/mp4' } });
    expect(answer.status).toBe(200);
    const { ContentType, Metadata } = await fixture.client.send(new GetObjectCommand({ Bucket: 'b', Key: key }));
    expect(ContentType).toBe('video/mp4');
    expect(Metadata).toEqual({ a: 'b', 'a-b': Buffer.from('ü').toString('latin1') });
  });

  it('is bound to the headers that were signed', async () => {
    const command = new PutObjectCommand({ Bucket: 'b', Key: key, ContentType: 'video/mp4' });
    const signableHeaders = new Set(['content-type']);
    const url = await getSignedUrl(fixture.client, command, { signableHeaders });
    const put = (type: string) => fetch(url, { method: 'PUT', body: 'film', headers: { 'content-type': type } });
    expect(await codeOf(await put('text/html'))).toBe('403 SignatureDoesNotMatch');
    expect((await put('video/mp4')).status).toBe(200);
  });

  it.each([
    ['for another method', { method: 'DELETE' }, (url: string) => url, '403 SignatureDoesNotMatch'],
    ['for another object', {}, (url: string) => url.replace('clips', 'films'), '403 SignatureDoesNotMatch'],
    ['with a longer life', {}, (url: string) => url.replace('Expires=900', 'Expires=901'), '403 SignatureDoesNotMatch'],
    ['of nobody', {}, (url: string) => url.replace('AKOPERATOR', 'AKNOBODY'), '403 InvalidAccessKeyId'],
    ['with a header more', { headers: { 'x-amz-acl': 'private' } }, (url: string) => url, '403 AccessDenied'],
  ])('is refused %s', async (_, request, change, code) => {
    await fixture.s3.put('b', key, Buffer.from('film'));
    const url = await getSignedUrl(fixture.client, new GetObjectCommand({ Bucket: 'b', Key: key }));
    expect(await codeOf(await fetch(change(url), request))).toBe(code);
    expect(fixture.s3.get('b', key)).toBeDefined();
  });

  it('expires', async () => {
    await fixture.s3.put('b', key, Buffer.from('film'));
    const url = await getSignedUrl(fixture.client, new GetObjectCommand({ Bucket: 'b', Key: key }), { expiresIn: 60 });
    expect((await fetch(url)).status).toBe(200);
    fixture.clock.now = () => Date.now() + 60_000;
    const answer = await fetch(url);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Message>Request has expired</Message>');
  });
});

describe('a presigned POST', () => {
  const film = (type = 'video/mp4') => new File(['film'], 'my film.mp4', { type });
  const sign = (options: Partial<PresignedPostOptions> = {}, client: S3Client = fixture.client) =>
    createPresignedPost(client, {
      Bucket: 'b',
      Key: key,
      Fields: { 'Content-Type': 'video/mp4' },
      Conditions: [['content-length-range', 2, 8]],
      ...options,
    });
  function send(
    post: { url: string; fields: Record<string, string> },
    file: File,
    fields: Record<string, string> = {},
  ) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...post.fields, ...fields })) form.append(name, value);
    form.append('file', file);
    return fetch(post.url, { method: 'POST', body: form });
  }

  it('stores the file of the form it was signed for', async () => {
    const post = await sign({ Fields: { 'Content-Type': 'video/mp4', 'x-amz-meta-title': 'Süß' } });
    const answer = await send(post, film());
    expect(answer.status).toBe(204);
    const stored = await fixture.client.send(new GetObjectCommand({ Bucket: 'b', Key: key }));
    expect(await stored.Body?.transformToString()).toBe('film');
    expect(answer.headers.get('etag')).toBe(stored.ETag);
    expect(stored.ContentType).toBe('video/mp4');
    expect(stored.Metadata).toEqual({ title: Buffer.from('Süß').toString('latin1') });
  });

  it('streams a large file whatever bytes it has', async () => {
    const bytes = Buffer.alloc(3_000_000, '\r\n--boundary\r\n-');
    const post = await sign({ Conditions: [] });
    expect((await send(post, new File([bytes], 'f'))).status).toBe(204);
    expect(await textOf(key)).toBe(bytes.toString());
  });

  it('takes the name of the file into the key', async () => {
    const post = await sign({ Key: 'uploads/${filename}' });
    expect((await send(post, film())).status).toBe(204);
    expect(await textOf('uploads/my film.mp4')).toBe('film');
  });

  it('answers as the form asks', async () => {
    const post = await sign({ Conditions: [['starts-with', '$success_action_status', '']] });
    const answer = await send(post, film(), { success_action_status: '201' });
    expect(answer.status).toBe(201);
    expect(await answer.text()).toContain(`<Bucket>b</Bucket><Key>${key}</Key>`);
    expect((await send(post, film(), { success_action_status: '200' })).status).toBe(200);
  });

  it.each([
    ['another type', {}, { 'Content-Type': 'text/html' }, film(), '403 AccessDenied'],
    ['another key', {}, { key: 'other' }, film(), '403 AccessDenied'],
    ['a field more', {}, { 'x-amz-meta-a': 'b' }, film(), '403 AccessDenied'],
    ['another policy', {}, { Policy: 'e30=' }, film(), '403 SignatureDoesNotMatch'],
    ['a file too large', {}, {}, new File(['nine byte'], 'f'), '400 EntityTooLarge'],
    ['a file too small', {}, {}, new File(['1'], 'f'), '400 EntityTooSmall'],
    ['a key outside its prefix', { Key: 'mine/${filename}' }, { key: 'yours/a' }, film(), '403 AccessDenied'],
  ])('is refused with %s', async (_, options, fields, file, code) => {
    expect(await codeOf(await send(await sign(options), file, fields))).toBe(code);
    expect(fixture.s3.list('b', '')).toEqual([]);
  });

  it('is refused once expired, and from nobody', async () => {
    const post = await sign({ Expires: 60 });
    fixture.clock.now = () => Date.now() + 61_000;
    expect(await codeOf(await send(post, film()))).toBe('403 AccessDenied');
    const nobody: S3ClientConfig = { credentials: { accessKeyId: 'AKNOBODY', secretAccessKey: 's' } };
    expect(await codeOf(await send(await sign({}, fixture.clientWith(nobody)), film()))).toBe('403 InvalidAccessKeyId');
  });

  it('needs a form, its key and its file', async () => {
    const post = await sign();
    const bare = await fetch(post.url, { method: 'POST', body: 'no form' });
    expect(await codeOf(bare)).toMatch(/^400 /);
    const form = new FormData();
    for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
    expect(await codeOf(await fetch(post.url, { method: 'POST', body: form }))).toMatch(/^400 /);
  });

  it('may be signed by a function', async () => {
    const credentials = { accessKeyId: 'AKFUNCTION', secretAccessKey: 'function-secret', sessionToken: 'a+b/c==' };
    const post = await sign({}, fixture.clientWith({ credentials }));
    expect((await send(post, film())).status).toBe(204);
  });
});

describe('CORS', () => {
  beforeEach(() =>
    fixture.deploy('web', {
      CorsConfiguration: {
        CorsRules: [
          {
            AllowedOrigins: ['https://*.example.com'],
            AllowedMethods: ['GET', 'POST'],
            AllowedHeaders: ['content-*', 'X-Amz-Date'],
            ExposedHeaders: ['ETag', 'x-amz-version-id'],
            MaxAge: 600,
          },
          { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] },
        ],
      },
    }),
  );
  const origin = 'https://www.example.com';
  const ask = (headers: Record<string, string>, bucket = 'web') =>
    fetch(`${fixture.endpoint}/${bucket}/a`, { method: 'OPTIONS', headers });

  it('answers a preflight by the bucket’s rules', async () => {
    const answer = await ask({
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, x-amz-date',
    });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type, x-amz-date',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
      vary: expect.stringContaining('Origin'),
    });
  });

  it.each([
    ['another origin', { origin: 'https://example.com.evil', 'access-control-request-method': 'GET' }],
    ['another method', { origin, 'access-control-request-method': 'DELETE' }],
    ['another header', { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-other' }],
  ])('refuses a preflight with %s', async (_, headers) => {
    expect(await codeOf(await ask(headers))).toBe('403 AccessForbidden');
  });

  it('refuses every preflight for a bucket without rules', async () => {
    expect(await codeOf(await ask({ origin, 'access-control-request-method': 'GET' }, 'b'))).toBe(
      '403 AccessForbidden',
    );
  });

  it('lets a page read answers, errors as well', async () => {
    await fixture.s3.put('web', 'a', Buffer.from('page'));
    const read = async (Key: string, method = 'GET', from = origin) => {
      const url = await getSignedUrl(fixture.client, new GetObjectCommand({ Bucket: 'web', Key }));
      return fetch(url, { method, headers: { origin: from } });
    };
    const answer = await read('a');
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-expose-headers')).toBe('ETag, x-amz-version-id');
    const missing = await read('missing');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('access-control-allow-origin')).toBe(origin);
    expect((await read('a', 'GET', 'https://other')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await read('a', 'HEAD', 'https://other')).headers.get('access-control-allow-origin')).toBe('*');
  });

  it('stays as the template has it after a restart', async () => {
    await fixture.client.send(new DeleteObjectCommand({ Bucket: 'web', Key: 'a' }));
    fixture = await fixture.reopen();
    expect((await ask({ origin, 'access-control-request-method': 'GET' })).status).toBe(200);
  });
});
