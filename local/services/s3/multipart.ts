import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readBody } from '../../gate/json-protocol.ts';
import { AwsError, type Reply } from '../../gate/service.ts';
import { guardOf, keptHeaders, receipt } from './objects.ts';
import { type Operations, operation, type S3Request, xmlReply } from './protocol/service.ts';
import { elements, text } from './protocol/xml.ts';
import type { Entry, Store } from './store.ts';

/** Every part but the last. Source: "Amazon S3 multipart upload limits". */
const minPartBytes = 5 * 1024 * 1024;
const maxParts = 10_000;
const maxCompleteBytes = 4 * 1024 * 1024;

/** An upload is a hidden bucket (`bucket/id`: no URL can name it) and its parts are the objects in it. */
export function createMultipartOperations(store: Store): Operations {
  function open({ bucket, key, query }: S3Request) {
    const name = `${bucket}/${query.get('uploadId')}`;
    const upload = store.bucket(name)?.upload;
    if (upload?.key === key) return { name, headers: upload.headers };
    throw new AwsError('NoSuchUpload', 'The upload was completed or aborted, or never began', 404);
  }

  function create({ bucket, key, headers }: S3Request): Reply {
    const id = randomUUID();
    store.putBucket(`${bucket}/${id}`, { upload: { key, headers: keptHeaders(headers) } });
    return xmlReply('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id });
  }

  async function putPart(request: S3Request): Promise<Reply> {
    const number = Number(request.query.get('partNumber'));
    if (!Number.isInteger(number) || number < 1 || number > maxParts) {
      throw new AwsError('InvalidArgument', `A part's number is from 1 to ${maxParts}`);
    }
    if ('x-amz-copy-source' in request.headers) {
      throw new AwsError('NotImplemented', 'The local S3 does not copy parts: copy the whole object', 501);
    }
    const { name } = open(request);
    const staged = await store.blobs.stage(request.body, request.headers);
    const part = store.commit(name, String(number).padStart(5, '0'), staged, {}, () => open(request));
    return { status: 200, headers: { ...receipt(part), 'x-amz-checksum-crc32': part.crc32 } };
  }

  async function complete(request: S3Request): Promise<Reply> {
    const wanted = elements((await readBody(request, maxCompleteBytes)).toString(), 'Part');
    const { bucket, key } = request;
    const { name, headers } = open(request);
    const parts = choose(store.list(name, ''), wanted);
    const joined = await store.blobs.stage(join(parts));
    const hash = createHash('md5').update(Buffer.from(parts.map(part => part.etag).join(''), 'hex'));
    const etag = `${hash.digest('hex')}-${parts.length}`;
    const entry = store.commit(bucket, key, { ...joined, etag }, headers, present => {
      open(request);
      guardOf(request)(present);
    });
    store.removeBucket(name);
    const result = { Location: request.target.split('?')[0], Bucket: bucket, Key: key, ETag: `"${etag}"` };
    return xmlReply('CompleteMultipartUploadResult', result, receipt(entry));
  }

  async function* join(parts: readonly Entry[]): AsyncGenerator<Buffer> {
    for (const { blob } of parts) yield* createReadStream(store.blobs.pathOf(blob), { highWaterMark: 1024 * 1024 });
  }

  function abort(request: S3Request): Reply {
    store.removeBucket(open(request).name);
    return { status: 204 };
  }

  function listParts(request: S3Request): Reply {
    const parts = store.list(open(request).name, '').map(({ key, size, etag, lastModified }) => ({
      PartNumber: Number(key),
      LastModified: new Date(lastModified).toISOString(),
      ETag: `"${etag}"`,
      Size: size,
    }));
    return xmlReply('ListPartsResult', { Bucket: request.bucket, Key: request.key, Part: parts });
  }

  return {
    'POST object?uploads': operation('CreateMultipartUpload', create, 'PutObject'),
    'PUT object?partNumber&uploadId': operation('UploadPart', putPart, 'PutObject'),
    'POST object?uploadId': operation('CompleteMultipartUpload', complete, 'PutObject'),
    'DELETE object?uploadId': operation('AbortMultipartUpload', abort),
    'GET object?uploadId': operation('ListParts', listParts, 'ListMultipartUploadParts'),
  };
}

/** The parts that a CompleteMultipartUpload names, if they are there, in order and large enough. */
function choose(parts: readonly Entry[], wanted: readonly string[]): Entry[] {
  const chosen = wanted.map(element => {
    const etag = text(element, 'ETag')?.replaceAll('"', '');
    const part = parts.find(({ key }) => Number(key) === Number(text(element, 'PartNumber')));
    if (part && part.etag === etag) return part;
    throw new AwsError('InvalidPart', 'A part was never uploaded, or its ETag is that of another upload');
  });
  if (chosen.length === 0) throw new AwsError('MalformedXML', 'CompleteMultipartUpload names no part');
  if (chosen.some((part, at) => part.key <= (chosen[at - 1]?.key ?? ''))) {
    throw new AwsError('InvalidPartOrder', 'The parts must be listed in ascending order');
  }
  if (chosen.slice(0, -1).some(part => part.size < minPartBytes)) {
    throw new AwsError('EntityTooSmall', `Every part but the last must have at least ${minPartBytes} bytes`);
  }
  return chosen;
}
