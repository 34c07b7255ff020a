import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AwsRequest } from '../../local/gate/service.ts';
import { authorization, refusal, type S3Fixture, startS3 } from './s3-fixture.ts';

/** Two cores may be busy with other tests. */
const patience = { timeout: 10_000 };

let fixture: S3Fixture;
beforeEach(async () => {
  fixture = await startS3();
});
afterEach(() => fixture.stop());

const blobs = (stateDir = fixture.stateDir) => readdirSync(join(stateDir, 's3', 'blobs'));
const contentOf = (key: string) => readFileSync(fixture.s3.get('b', key)?.path ?? '', 'utf8');

describe('in process', () => {
  it('takes buffers, streams and files', async () => {
    const file = join(fixture.stateDir, 'made elsewhere');
    writeFileSync(file, 'file');
    const options = { contentType: 'application/json', contentEncoding: 'gzip' };
    const stored = await fixture.s3.put('b', 'buffer', Buffer.from('buffer'), options);
    await fixture.s3.put('b', 'stream', Readable.from([Buffer.from('str'), Buffer.from('eam')]));
    await fixture.s3.put('b', 'file', { file });
    expect(['buffer', 'stream', 'file'].map(contentOf)).toEqual(['buffer', 'stream', 'file']);
    expect(existsSync(file)).toBe(false);
    expect(fixture.s3.get('b', 'buffer')).toEqual(stored);
    expect(stored).toMatchObject({ bucket: 'b', key: 'buffer', size: 6, contentType: 'application/json' });
    const answer = await fixture.client.send(new GetObjectCommand({ Bucket: 'b', Key: 'buffer' }));
    expect(answer).toMatchObject({ ContentEncoding: 'gzip', ETag: `"${stored.etag}"` });
    await expect(fixture.s3.put('nowhere', 'k', Buffer.from(''))).rejects.toMatchObject({ code: 'NoSuchBucket' });
  });

  it('lists by prefix in the order of UTF-8', async () => {
    for (const key of ['p/b', 'p/ü', 'p/\u{1F355}', 'p/\uFFFD', 'q', 'p', 'p/B']) {
      await fixture.s3.put('b', key, Buffer.from(key));
    }
    expect(fixture.s3.list('b', 'p/').map(({ key }) => key)).toEqual(['p/B', 'p/b', 'p/ü', 'p/\uFFFD', 'p/\u{1F355}']);
    expect(fixture.s3.list('b', 'nothing')).toEqual([]);
  });

  it('tells its listeners what was created and what was removed', async () => {
    const seen: string[] = [];
    fixture.s3.onObject(({ type, object }) => seen.push(`${type} ${object.key} ${object.size}`));
    await fixture.client.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'wire' }));
    await fixture.s3.put('b', 'k', Buffer.from('process'));
    for (const Key of ['k', 'never there']) await fixture.client.send(new DeleteObjectCommand({ Bucket: 'b', Key }));
    expect(seen).toEqual(['created k 4', 'created k 7', 'removed k 7']);
  });

  it('keeps what a reader was given while it is replaced and removed, for a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    await fixture.s3.put('b', 'k', Buffer.from('first'));
    const first = fixture.s3.get('b', 'k')?.path ?? '';
    const handle = await open(first);
    await fixture.s3.put('b', 'k', Buffer.from('second'));
    expect(readFileSync(first, 'utf8')).toBe('first');
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(blobs()).toHaveLength(1), patience);
    expect(await handle.readFile('utf8')).toBe('first');
    await handle.close();
    expect(contentOf('k')).toBe('second');
  });

  it('sweeps at its start what no row names, and nothing else', async () => {
    await fixture.s3.put('b', 'k', Buffer.from('kept'));
    for (const stray of ['half.tmp', 'renamed-but-not-committed']) {
      writeFileSync(join(fixture.stateDir, 's3', 'blobs', stray), 'stray');
    }
    fixture = await fixture.reopen();
    expect(blobs()).toHaveLength(1);
    expect(contentOf('k')).toBe('kept');
  });

  it('ends with one whole body after many overwrites at once', async () => {
    const bodies = Array.from({ length: 20 }, (_, n) => `writer ${n} `.repeat(10_000));
    await Promise.all(bodies.map(Body => fixture.client.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body }))));
    expect(bodies).toContain(contentOf('k'));
    expect(fixture.s3.list('b', '')).toHaveLength(1);
  });
});

describe('in a versioned bucket', () => {
  const target = { Bucket: 'v', Key: 'k' };
  const put = (Body: string) => fixture.client.send(new PutObjectCommand({ ...target, Body }));
  const get = (VersionId?: string) => fixture.client.send(new GetObjectCommand({ ...target, VersionId }));
  const textOf = async (VersionId?: string) => (await get(VersionId)).Body?.transformToString();
  const remove = (VersionId?: string) => fixture.client.send(new DeleteObjectCommand({ ...target, VersionId }));
  const versioned = { VersioningConfiguration: { Status: 'Enabled' } };

  it('every version stays, behind the latest or a delete marker', async () => {
    await fixture.deploy('v', versioned);
    const [first, second] = [await put('first'), await put('second')];
    expect(first.VersionId).toMatch(/^[\w-]{32}$/);
    expect(await get()).toMatchObject({ VersionId: second.VersionId });
    expect(await textOf(first.VersionId)).toBe('first');
    expect(fixture.s3.get('v', 'k')).toMatchObject({ size: 6, versionId: second.VersionId });

    const marker = await remove();
    expect(marker).toMatchObject({ DeleteMarker: true, VersionId: expect.any(String) });
    expect(await refusal(get())).toMatchObject({ name: 'NoSuchKey' });
    expect(fixture.s3.list('v', '')).toEqual([]);
    expect(await textOf(second.VersionId)).toBe('second');

    await remove(marker.VersionId);
    expect(await textOf()).toBe('second');
    await remove(second.VersionId);
    expect(await textOf()).toBe('first');
    await remove(first.VersionId);
    expect(await refusal(get())).toMatchObject({ name: 'NoSuchKey' });
  });

  it('every version stays when the template no longer asks for them', async () => {
    await fixture.deploy('v', versioned);
    const { VersionId } = await put('first');
    await fixture.deploy('v');
    await put('second');
    await remove();
    expect(await refusal(get())).toMatchObject({ name: 'NoSuchKey' });
    expect(await textOf(VersionId)).toBe('first');
  });

  it('what was there before versioning is the version null', async () => {
    await fixture.deploy('v');
    expect((await put('before')).VersionId).toBeUndefined();
    await fixture.deploy('v', versioned);
    await put('after');
    expect(await textOf('null')).toBe('before');
    expect(await textOf()).toBe('after');
  });
});

describe('what a call needs to be allowed', () => {
  async function grants(method: string, target: string, headers: Record<string, string> = {}, body = '') {
    const caller = { kind: 'operator', accessKeyId: 'AKOPERATOR' } as const;
    const raw: AwsRequest = { id: '1', caller, method, target, headers, body: Readable.from([Buffer.from(body)]) };
    const call = await fixture.s3.services?.[0]?.receive(raw);
    return [call?.action, ...(call?.grants ?? []).map(({ action, resource }) => `${action} ${resource}`)];
  }
  const arn = 'arn:aws:s3:::b';

  it.each([
    ['GET', '/', ['ListBuckets', 's3:ListAllMyBuckets *']],
    ['PUT', '/b', ['CreateBucket', `s3:CreateBucket ${arn}`]],
    ['HEAD', '/b', ['HeadBucket', `s3:ListBucket ${arn}`]],
    ['GET', '/b/?list-type=2&prefix=a', ['ListObjectsV2', `s3:ListBucket ${arn}`]],
    ['GET', '/b?location', ['GetBucketLocation', `s3:GetBucketLocation ${arn}`]],
    ['GET', '/b/a%20b?x-id=GetObject', ['GetObject', `s3:GetObject ${arn}/a b`]],
    ['HEAD', '/b/k', ['HeadObject', `s3:GetObject ${arn}/k`]],
    ['GET', '/b/k?versionId=1', ['GetObject', `s3:GetObjectVersion ${arn}/k`]],
    ['PUT', '/b/k', ['PutObject', `s3:PutObject ${arn}/k`]],
    ['DELETE', '/b/k', ['DeleteObject', `s3:DeleteObject ${arn}/k`]],
    ['DELETE', '/b/k?versionId=1', ['DeleteObject', `s3:DeleteObjectVersion ${arn}/k`]],
    ['POST', '/b/k?uploads=', ['CreateMultipartUpload', `s3:PutObject ${arn}/k`]],
    ['PUT', '/b/k?partNumber=1&uploadId=u', ['UploadPart', `s3:PutObject ${arn}/k`]],
    ['POST', '/b/k?uploadId=u', ['CompleteMultipartUpload', `s3:PutObject ${arn}/k`]],
    ['DELETE', '/b/k?uploadId=u', ['AbortMultipartUpload', `s3:AbortMultipartUpload ${arn}/k`]],
    ['GET', '/b/k?uploadId=u', ['ListParts', `s3:ListMultipartUploadParts ${arn}/k`]],
  ])('%s %s', async (method, target, expected) => {
    expect(await grants(method, target)).toEqual(expected);
  });

  it('a copy: its source as well; many deletions: each key', async () => {
    const copy = await grants('PUT', '/b/k', { 'x-amz-copy-source': '/other/a%2Fb?versionId=1' });
    expect(copy).toEqual(['CopyObject', 's3:GetObjectVersion arn:aws:s3:::other/a/b', `s3:PutObject ${arn}/k`]);
    const body = '<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>';
    const removal = await grants('POST', '/b?delete', {}, body);
    expect(removal).toEqual(['DeleteObjects', `s3:DeleteObject ${arn}/a&b`, `s3:DeleteObject ${arn}/c`]);
  });

  it.each(['/b/%zz', '/b/k?X-Amz-Signature=%zz'])('nothing where the URL is malformed: %s', async target => {
    await expect(grants('GET', target)).rejects.toMatchObject({ status: 400 });
  });
});

describe('in a process of its own', () => {
  let child: ChildProcess;
  let stateDir: string;
  let client: S3Client;
  let endpoint: string;
  beforeEach(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 's3-'));
    child = fork(join(import.meta.dirname, 's3-process.ts'), [stateDir], { execArgv: [] });
    const [message] = await once(child, 'message');
    endpoint = message.endpoint;
    const credentials = { accessKeyId: 'AKOPERATOR', secretAccessKey: 'local' };
    client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 1 });
  });
  afterEach(async () => {
    client.destroy();
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(stateDir, { recursive: true, force: true });
  });

  function* bytes(megabytes: number) {
    const chunk = Buffer.alloc(64 * 1024, 'tableside ');
    for (let sent = 0; sent < megabytes * 16; sent += 1) yield chunk;
  }

  it('takes and gives 256 MB without holding them', async () => {
    const ContentLength = 256 * 1024 * 1024;
    const target = { Bucket: 'b', Key: 'big' };
    await client.send(new PutObjectCommand({ ...target, Body: Readable.from(bytes(256)), ContentLength }));
    let received = 0;
    for await (const chunk of (await client.send(new GetObjectCommand(target))).Body as Readable)
      received += chunk.length;
    expect(received).toBe(ContentLength);
    const answer = once(child, 'message');
    child.send('memory');
    const [{ maxResidentBytes }] = await answer;
    // Node itself takes 60 to 90 MB.
    expect(maxResidentBytes).toBeLessThan(200 * 1024 * 1024);
  });

  it('has after kill -9 what it acknowledged, and nothing half', async () => {
    await client.send(new PutObjectCommand({ Bucket: 'b', Key: 'acknowledged', Body: 'whole' }));
    await client.send(new PutObjectCommand({ Bucket: 'b', Key: 'overwritten', Body: 'old' }));
    const headers = { authorization, 'content-length': 1_000_000 };
    const upload = request(`${endpoint}/b/overwritten`, { method: 'PUT', headers }).on('error', () => {});
    upload.write('half');
    await vi.waitFor(() => expect(blobs(stateDir).filter(file => file.endsWith('.tmp'))).toHaveLength(1), patience);
    child.kill('SIGKILL');
    await once(child, 'exit');

    const after = await startS3(stateDir);
    const found = after.s3.list('b', '').map(({ key, path }) => [key, readFileSync(path, 'utf8')]);
    const files = blobs(stateDir);
    await after.stop();
    expect(found).toEqual([
      ['acknowledged', 'whole'],
      ['overwritten', 'old'],
    ]);
    expect(files).toHaveLength(2);
  });
});

it('forgets an upload whose client went away', async () => {
  const headers = { authorization, 'content-length': 1_000_000 };
  const upload = request(`${fixture.endpoint}/b/k`, { method: 'PUT', headers }).on('error', () => {});
  upload.write('half');
  await vi.waitFor(() => expect(blobs()).toHaveLength(1), patience);
  upload.destroy();
  await vi.waitFor(() => expect(blobs()).toEqual([]), patience);
  expect(fixture.s3.get('b', 'k')).toBeUndefined();
});
