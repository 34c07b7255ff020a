import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, type S3Fixture, startS3 } from './s3-fixture.ts';

const mebibyte = 1024 * 1024;
const target = { Bucket: 'b', Key: 'big ü.bin' };

let fixture: S3Fixture;
let UploadId: string;
beforeEach(async () => {
  fixture = await startS3();
  const begin = new CreateMultipartUploadCommand({ ...target, ContentType: 'video/mp4', Metadata: { a: 'b' } });
  UploadId = (await fixture.client.send(begin)).UploadId ?? '';
});
afterEach(() => fixture.stop());

async function upload(PartNumber: number, Body: Buffer | string): Promise<CompletedPart> {
  const command = new UploadPartCommand({ ...target, UploadId, PartNumber, Body });
  const { ETag, ChecksumCRC32 } = await fixture.client.send(command);
  return { PartNumber, ETag, ChecksumCRC32 };
}
const complete = (Parts: CompletedPart[], more: object = {}) =>
  fixture.client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts }, ...more }));
const listParts = () => fixture.client.send(new ListPartsCommand({ ...target, UploadId }));
const stored = () => fixture.s3.get(target.Bucket, target.Key);

describe('a multipart upload', () => {
  it('becomes one object, its parts in any order and the last write of each', async () => {
    const changes: string[] = [];
    fixture.s3.onObject(({ type, object }) => changes.push(`${type} ${object.key}`));
    const [first, second, last] = [
      Buffer.alloc(5 * mebibyte, 'a'),
      Buffer.alloc(6 * mebibyte, 'b'),
      Buffer.from('end'),
    ];
    const end = await upload(10, last);
    await upload(2, 'overwritten');
    const parts = [await upload(1, first), await upload(2, second), end];
    expect(changes).toEqual([]);
    expect(stored()).toBeUndefined();

    const { ETag } = await complete(parts);
    const md5s = [first, second, last].map(part => createHash('md5').update(part).digest());
    expect(ETag).toBe(`"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`);
    expect(changes).toEqual([`created ${target.Key}`]);
    expect(readFileSync(stored()?.path ?? '').equals(Buffer.concat([first, second, last]))).toBe(true);
    const answer = await fixture.client.send(new GetObjectCommand({ ...target, Range: 'bytes=11534336-' }));
    expect(await answer.Body?.transformToString()).toBe('end');
    expect(answer).toMatchObject({ ContentType: 'video/mp4', Metadata: { a: 'b' }, ETag });
  });

  it('lists its parts, and is no bucket to anybody', async () => {
    await upload(2, 'two');
    await upload(1, 'one');
    expect((await listParts()).Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 3],
      [2, 3],
    ]);
    const { Buckets } = await fixture.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['b']);
  });

  it('survives a restart', async () => {
    const parts = [await upload(1, 'one')];
    fixture = await fixture.reopen();
    await complete(parts);
    expect(readFileSync(stored()?.path ?? '', 'utf8')).toBe('one');
  });

  it('is forgotten once aborted or completed', async () => {
    const parts = [await upload(1, 'one')];
    await complete(parts);
    expect(await refusal(complete(parts))).toEqual({ name: 'NoSuchUpload', status: 404 });
    expect(await refusal(fixture.client.send(new AbortMultipartUploadCommand({ ...target, UploadId })))).toMatchObject({
      name: 'NoSuchUpload',
    });
    UploadId = (await fixture.client.send(new CreateMultipartUploadCommand(target))).UploadId ?? '';
    await upload(1, 'aborted');
    await fixture.client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
    expect(await refusal(upload(2, 'late'))).toMatchObject({ name: 'NoSuchUpload' });
    expect(readFileSync(stored()?.path ?? '', 'utf8')).toBe('one');
    fixture = await fixture.reopen();
    expect(readdirSync(join(fixture.stateDir, 's3', 'blobs'))).toHaveLength(1);
  });

  it.each([
    ['a part that was never sent', async () => [{ PartNumber: 2, ETag: '"none"' }], 'InvalidPart'],
    ['another ETag', async () => [{ ...(await upload(1, 'one')), ETag: '"other"' }], 'InvalidPart'],
    ['parts out of order', async () => [await upload(2, 'two'), await upload(1, 'one')], 'InvalidPartOrder'],
    ['a small part before the last', async () => [await upload(1, 'one'), await upload(2, 'two')], 'EntityTooSmall'],
    ['no parts', async () => [], 'MalformedXML'],
  ])('is refused with %s', async (_, parts, name) => {
    expect(await refusal(complete(await parts()))).toEqual({ name, status: 400 });
    expect(stored()).toBeUndefined();
  });

  it('refuses to copy parts rather than store empty ones', async () => {
    const source = { ...target, UploadId, PartNumber: 1, CopySource: 'b/other' };
    expect(await refusal(fixture.client.send(new UploadPartCopyCommand(source)))).toEqual({
      name: 'NotImplemented',
      status: 501,
    });
  });

  it('keeps what is there where its condition says so', async () => {
    await fixture.s3.put(target.Bucket, target.Key, Buffer.from('first'));
    const parts = [await upload(1, 'one')];
    expect(await refusal(complete(parts, { IfNoneMatch: '*' }))).toMatchObject({ name: 'PreconditionFailed' });
    expect(readFileSync(stored()?.path ?? '', 'utf8')).toBe('first');
    await complete(parts);
    expect(readFileSync(stored()?.path ?? '', 'utf8')).toBe('one');
  });

  it('takes part numbers from 1 to 10,000 only', async () => {
    await upload(10_000, 'last');
    for (const number of [0, 10_001])
      expect(await refusal(upload(number, ''))).toMatchObject({ name: 'InvalidArgument' });
  });
});
