import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authorization, refusal, type S3Fixture, startS3 } from './s3-fixture.ts';

let fixture: S3Fixture;
beforeEach(async () => {
  fixture = await startS3();
});
afterEach(() => fixture.stop());

const put = (Key: string, Body: PutObjectCommandInput['Body'] = 'hello', more: Partial<PutObjectCommandInput> = {}) =>
  fixture.client.send(new PutObjectCommand({ Bucket: 'b', Key, Body, ...more }));
const get = (Key: string, more: object = {}) =>
  fixture.client.send(new GetObjectCommand({ Bucket: 'b', Key, ...more }));
const textOf = async (Key: string, more: object = {}) => (await get(Key, more)).Body?.transformToString();
const blobs = () => readdirSync(join(fixture.stateDir, 's3', 'blobs'));

describe('objects', () => {
  it('come back with their bytes, type, headers and metadata', async () => {
    const { ETag } = await put('a.txt', 'hello', {
      ContentType: 'text/plain',
      ContentDisposition: 'attachment; filename="a.txt"',
      CacheControl: 'max-age=60',
      ContentLanguage: 'de',
      Metadata: { table: 'sieben', chef: 'Zoë' },
    });
    const answer = await get('a.txt');
    expect(await answer.Body?.transformToString()).toBe('hello');
    expect(ETag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`);
    expect(answer).toMatchObject({
      ETag,
      ContentLength: 5,
      ContentType: 'text/plain',
      ContentDisposition: 'attachment; filename="a.txt"',
      CacheControl: 'max-age=60',
      ContentLanguage: 'de',
    });
    expect(answer.Metadata).toEqual({ table: 'sieben', chef: Buffer.from('Zoë').toString('latin1') });
    expect(answer.LastModified?.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it('may be empty', async () => {
    await put('empty', '');
    expect(await textOf('empty')).toBe('');
    const head = await fixture.client.send(new HeadObjectCommand({ Bucket: 'b', Key: 'empty' }));
    expect(head.ContentLength).toBe(0);
  });

  it.each([
    'with space/and+plus & more.txt',
    'größe/日本語/🍕.txt',
    'quotes\'"<xml>&amp;.txt',
    '../../../../etc/passwd',
    'a/../b/./c//d/',
    '/leading',
    '%2F%25percent',
    'x'.repeat(1024),
    'line\nbreak\ttab',
  ])('have any key: %j', async key => {
    await put(key, key);
    expect(await textOf(key)).toBe(key);
    const list = await fixture.client.send(new ListObjectsV2Command({ Bucket: 'b' }));
    expect(list.Contents?.map(object => object.Key)).toEqual([key]);
    expect(blobs()).toHaveLength(1);
    expect(blobs()[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('refuse a key of more than 1,024 bytes', async () => {
    expect(await refusal(put('é'.repeat(513)))).toEqual({ name: 'KeyTooLongError', status: 400 });
  });

  it('answer NoSuchKey and NoSuchBucket', async () => {
    expect(await refusal(get('nothing'))).toEqual({ name: 'NoSuchKey', status: 404 });
    expect(await refusal(get('a', { Bucket: 'nowhere' }))).toEqual({ name: 'NoSuchBucket', status: 404 });
    const head = new HeadObjectCommand({ Bucket: 'b', Key: 'nothing' });
    expect(await refusal(fixture.client.send(head))).toEqual({ name: 'NotFound', status: 404 });
  });

  it.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=5-500', '56789', 'bytes 5-9/10'],
  ])('are read in ranges: %s', async (Range, expected, ContentRange) => {
    await put('digits', '0123456789');
    const answer = await get('digits', { Range });
    expect(await answer.Body?.transformToString()).toBe(expected);
    expect(answer).toMatchObject({ ContentRange, ContentLength: expected.length, $metadata: { httpStatusCode: 206 } });
  });

  it('refuse a range beyond their end', async () => {
    await put('digits', '0123456789');
    expect(await refusal(get('digits', { Range: 'bytes=10-' }))).toEqual({ name: 'InvalidRange', status: 416 });
  });

  it('are gone once deleted, and deleting again is no error', async () => {
    await put('a');
    for (const _ of [1, 2]) await fixture.client.send(new DeleteObjectCommand({ Bucket: 'b', Key: 'a' }));
    expect(await refusal(get('a'))).toMatchObject({ name: 'NoSuchKey' });
  });

  it('are deleted many at once', async () => {
    const keys = ['one', 'two & <three>', 'vier ü'];
    for (const key of [...keys, 'kept']) await put(key);
    const Delete = { Objects: [...keys, 'never there'].map(Key => ({ Key })) };
    const answer = await fixture.client.send(new DeleteObjectsCommand({ Bucket: 'b', Delete }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual([...keys, 'never there']);
    expect(fixture.s3.list('b', '').map(object => object.key)).toEqual(['kept']);
  });

  it('are copied with their metadata, or with new', async () => {
    await put('from +ü', 'copied', { ContentType: 'text/plain', Metadata: { a: 'b' } });
    const CopySource = `b/${encodeURIComponent('from +ü')}`;
    const copy = (Key: string, more: object) =>
      fixture.client.send(new CopyObjectCommand({ Bucket: 'b', Key, CopySource, ...more }));
    const answer = await copy('kept', {});
    expect(answer.CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('copied').digest('hex')}"`);
    expect(await get('kept')).toMatchObject({ ContentType: 'text/plain', Metadata: { a: 'b' } });
    await copy('new', { MetadataDirective: 'REPLACE', Metadata: { c: 'd' }, ContentType: 'text/html' });
    expect(await get('new')).toMatchObject({ ContentType: 'text/html', Metadata: { c: 'd' } });
    await put('from +ü', 'overwritten');
    expect(await textOf('kept')).toBe('copied');
    expect(await refusal(copy('x', { CopySourceIfMatch: '"other"' }))).toMatchObject({ name: 'PreconditionFailed' });
  });
});

describe('conditions', () => {
  it('of a read answer 304 or 412', async () => {
    const { ETag } = await put('a');
    const future = new Date(Date.now() + 60_000);
    expect(await refusal(get('a', { IfNoneMatch: ETag }))).toMatchObject({ status: 304 });
    expect(await refusal(get('a', { IfModifiedSince: future }))).toMatchObject({ status: 304 });
    expect(await refusal(get('a', { IfMatch: '"other"' }))).toEqual({ name: 'PreconditionFailed', status: 412 });
    expect(await refusal(get('a', { IfUnmodifiedSince: new Date(0) }))).toMatchObject({ status: 412 });
    expect(await textOf('a', { IfMatch: ETag, IfNoneMatch: '"other"' })).toBe('hello');
    expect(await textOf('a', { IfModifiedSince: new Date(0) })).toBe('hello');
  });

  it('of a write keep what is there', async () => {
    const { ETag } = await put('a', 'first', { IfNoneMatch: '*' });
    expect(await refusal(put('a', 'second', { IfNoneMatch: '*' }))).toEqual({
      name: 'PreconditionFailed',
      status: 412,
    });
    expect(await refusal(put('a', 'second', { IfMatch: '"other"' }))).toMatchObject({ status: 412 });
    expect(await refusal(put('new', 'second', { IfMatch: ETag }))).toEqual({ name: 'NoSuchKey', status: 404 });
    expect(await textOf('a')).toBe('first');
    expect(blobs()).toHaveLength(1);
    await put('a', 'second', { IfMatch: ETag });
    expect(await textOf('a')).toBe('second');
  });

  it('let one of many simultaneous creators win', async () => {
    const writers = Array.from({ length: 10 }, (_, n) => put('once', `writer ${n}`, { IfNoneMatch: '*' }));
    const outcomes = await Promise.allSettled(writers);
    const winners = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []));
    expect(winners).toHaveLength(1);
    expect(await textOf('once')).toBe(`writer ${winners[0]}`);
  });
});

describe('checksums', () => {
  it.each(['CRC32', 'SHA256'] as const)('of a buffer are verified: %s', async ChecksumAlgorithm => {
    await put('a', 'hello', { ChecksumAlgorithm });
    expect(await textOf('a')).toBe('hello');
    const wrong =
      ChecksumAlgorithm === 'CRC32' ? { ChecksumCRC32: 'AAAAAA==' } : { ChecksumSHA256: `${'A'.repeat(43)}=` };
    expect(await refusal(put('b', 'hello', wrong))).toEqual({ name: 'BadDigest', status: 400 });
    expect(await refusal(put('b', 'hello', { ContentMD5: `${'A'.repeat(22)}==` }))).toMatchObject({
      name: 'BadDigest',
    });
    expect(fixture.s3.get('b', 'b')).toBeUndefined();
    expect(blobs()).toHaveLength(1);
  });

  it('of a stream come as trailers', async () => {
    const bytes = Buffer.alloc(3_000_000, 'tableside');
    const chunks = Array.from({ length: 30 }, (_, n) => bytes.subarray(n * 100_000, (n + 1) * 100_000));
    await put('streamed', Readable.from(chunks), { ContentLength: bytes.length, ChecksumAlgorithm: 'SHA256' });
    expect(readFileSync(fixture.s3.get('b', 'streamed')?.path ?? '').equals(bytes)).toBe(true);
  });

  const chunked = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${fixture.endpoint}/b/chunked`, {
      method: 'PUT',
      body,
      headers: {
        authorization,
        'content-encoding': 'aws-chunked',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        ...headers,
      },
    });

  it('in a signed aws-chunked body are verified, signatures of chunks skipped', async () => {
    const signature = `;chunk-signature=${'0'.repeat(64)}`;
    const trailers = `x-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`;
    const answer = await chunked(`2${signature}\r\nhe\r\n3${signature}\r\nllo\r\n0${signature}\r\n${trailers}`);
    expect(answer.status).toBe(200);
    expect(await textOf('chunked')).toBe('hello');
    expect((await get('chunked')).ContentEncoding).toBeUndefined();
  });

  it.each([
    ['a wrong trailer', '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', {}, 'BadDigest'],
    ['an end too early', '5\r\nhel', {}, 'IncompleteBody'],
    ['no last chunk', '5\r\nhello\r\n', {}, 'IncompleteBody'],
    ['a size that is none', 'size\r\nhello\r\n0\r\n\r\n', {}, 'IncompleteBody'],
    [
      'fewer bytes than announced',
      '5\r\nhello\r\n0\r\n\r\n',
      { 'x-amz-decoded-content-length': '6' },
      'IncompleteBody',
    ],
  ])('refuse an aws-chunked body with %s', async (_, body, headers, code) => {
    const answer = await chunked(body, headers);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`<Code>${code}</Code>`);
    expect(blobs()).toEqual([]);
  });
});

describe('listing', () => {
  const list = (more: object) => fixture.client.send(new ListObjectsV2Command({ Bucket: 'b', ...more }));

  it('goes through pages in key order, folding at the delimiter', async () => {
    for (const key of ['b/2', 'a', 'b/1', 'c/x/1', 'c/x/2', 'd', 'b', 'Z'])
      await fixture.s3.put('b', key, Buffer.from(key));
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list({ Delimiter: '/', MaxKeys: 2, ContinuationToken });
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      const keys = (page.Contents ?? []).map(({ Key }) => Key);
      const folded = (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix);
      seen.push(...[...keys, ...folded].sort());
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken);
    expect(seen).toEqual(['Z', 'a', 'b', 'b/', 'c/', 'd']);
  });

  it('begins within a prefix and after a key', async () => {
    for (const key of ['x', 'p/1', 'p/2', 'p/3', 'q/1']) await fixture.s3.put('b', key, Buffer.from(key));
    const page = await list({ Prefix: 'p/', StartAfter: 'p/1' });
    expect(page.Contents?.map(({ Key, Size, ETag }) => [Key, Size, ETag?.length])).toEqual([
      ['p/2', 3, 34],
      ['p/3', 3, 34],
    ]);
    expect((await list({ Prefix: 'nothing' })).Contents).toBeUndefined();
    expect(await refusal(list({ Bucket: 'nowhere' }))).toMatchObject({ name: 'NoSuchBucket' });
  });

  it('encodes keys on request', async () => {
    await fixture.s3.put('b', 'a b/ü+&', Buffer.from(''));
    const page = await list({ EncodingType: 'url', Prefix: 'a b' });
    expect(page).toMatchObject({ EncodingType: 'url', Prefix: 'a%20b', Contents: [{ Key: 'a%20b/%C3%BC%2B%26' }] });
  });
});

describe('buckets', () => {
  it('are made, found, listed and, once empty, removed', async () => {
    const { client } = fixture;
    await client.send(new CreateBucketCommand({ Bucket: 'second' }));
    await client.send(new HeadBucketCommand({ Bucket: 'second' }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['b', 'second']);
    expect((await client.send(new GetBucketLocationCommand({ Bucket: 'b' }))).LocationConstraint).toBeUndefined();
    await client.send(new PutObjectCommand({ Bucket: 'second', Key: 'a', Body: '' }));
    const remove = () => client.send(new DeleteBucketCommand({ Bucket: 'second' }));
    expect(await refusal(remove())).toEqual({ name: 'BucketNotEmpty', status: 409 });
    await client.send(new DeleteObjectCommand({ Bucket: 'second', Key: 'a' }));
    await remove();
    expect(await refusal(client.send(new HeadBucketCommand({ Bucket: 'second' })))).toMatchObject({ status: 404 });
    expect(await refusal(client.send(new CreateBucketCommand({ Bucket: 'No_Bucket' })))).toMatchObject({
      name: 'InvalidBucketName',
    });
  });

  it('are closed to requests that nobody signed', async () => {
    await put('a');
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await fetch(`${fixture.endpoint}/b/a`, { method });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('<Code>AccessDenied</Code>');
    }
    expect(await textOf('a')).toBe('hello');
  });

  it('answer 501 with a sentence to what is not there', async () => {
    const error = await fixture.client.send(new GetBucketAclCommand({ Bucket: 'b' })).catch(error => error);
    expect(error).toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
    expect(error.message).toBe('The local S3 does not do GET bucket?acl');
  });
});
