import { createReadStream } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { readBody } from '../../gate/json-protocol.ts';
import { AwsError, type Call, type Reply } from '../../gate/service.ts';
import { type Verification, verifyPostPolicy } from '../../gate/sigv4.ts';
import { rangeOf, requireMet, unmet } from './protocol/conditions.ts';
import { readForm } from './protocol/reader.ts';
import {
  type Address,
  addressOf,
  grant,
  type Operations,
  operation,
  type S3Request,
  xmlReply,
} from './protocol/service.ts';
import { elements, text } from './protocol/xml.ts';
import type { Entry, Guard, Store } from './store.ts';

const keptHeader = /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.+)$/;
/** Room for 1,000 keys of 1,024 bytes, escaped. */
const maxDeleteBytes = 8 * 1024 * 1024;

const noSuchKey = (key: string) => new AwsError('NoSuchKey', `The key ${key} does not exist`, 404);

/** The headers of an upload that its downloads repeat. */
export function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const named = Object.entries(headers).filter(([name]) => keptHeader.test(name));
  const kept = named.map(([name, value = '']) => [name, String(value).replace(/aws-chunked,? ?/, '')]);
  return { 'content-type': 'binary/octet-stream', ...Object.fromEntries(kept.filter(([, value]) => value)) };
}

/** What identifies a version in the answers about it. */
export function receipt({ etag, version }: Entry): Record<string, string> {
  return { etag: `"${etag}"`, ...(version !== 'null' && { 'x-amz-version-id': version }) };
}

/** For `commit`: whether a write's conditions (`If-None-Match: *`) hold at that moment. */
export function guardOf({ headers, key }: S3Request): Guard {
  return present => {
    if (present) requireMet(headers, present);
    else if (headers['if-match']) throw noSuchKey(key);
  };
}

export function createObjectOperations(store: Store, verification: Verification): Operations {
  function find({ bucket, key, query }: Address): Entry {
    const entry = store.find(bucket, key, query.get('versionId') ?? undefined);
    if (entry) return entry;
    throw noSuchKey(key);
  }

  function read(request: S3Request): Reply {
    const entry = find(request);
    if (unmet(request.headers, entry) === 304) return { status: 304, headers: receipt(entry) };
    requireMet(request.headers, entry);
    const range = rangeOf(request.headers.range, entry.size);
    const { start, end } = range ?? { start: 0, end: entry.size - 1 };
    const overrides = [...request.query].filter(([name]) => name.startsWith('response-'));
    const headers = {
      ...(JSON.parse(entry.headers) as Record<string, string>),
      ...Object.fromEntries(overrides.map(([name, value]) => [name.slice('response-'.length), value])),
      ...receipt(entry),
      'last-modified': new Date(entry.lastModified).toUTCString(),
      'accept-ranges': 'bytes',
      'content-length': end - start + 1,
      ...(range ? { 'content-range': `bytes ${start}-${end}/${entry.size}` } : { 'x-amz-checksum-crc32': entry.crc32 }),
    };
    const path = store.blobs.pathOf(entry.blob);
    const wanted = request.method === 'GET' && entry.size > 0;
    const body = wanted ? createReadStream(path, { start, end, highWaterMark: 256 * 1024 }) : '';
    return { status: range ? 206 : 200, headers, body };
  }

  const put = operation('PutObject', async request => {
    const { bucket, key, body, headers } = request;
    const staged = await store.blobs.stage(body, headers);
    const entry = store.commit(bucket, key, staged, keptHeaders(headers), guardOf(request));
    return { status: 200, headers: { ...receipt(entry), 'x-amz-checksum-crc32': entry.crc32 } };
  });

  function copy(request: S3Request): Call {
    const { bucket, key, headers } = request;
    const source = addressOf(String(headers['x-amz-copy-source']).replace(/^\/?/, '/'));
    const perform = async () => {
      const from = find(source);
      requireMet(headers, from, 'x-amz-copy-source-');
      const kept = headers['x-amz-metadata-directive'] === 'REPLACE' ? keptHeaders(headers) : JSON.parse(from.headers);
      const twin = { ...from, blob: await store.blobs.copy(from.blob) };
      const entry = store.commit(bucket, key, twin, kept, guardOf(request));
      const result = { LastModified: new Date(entry.lastModified).toISOString(), ETag: `"${entry.etag}"` };
      return xmlReply('CopyObjectResult', result, receipt(entry));
    };
    return { action: 'CopyObject', grants: [grant('GetObject', source), grant('PutObject', request)], perform };
  }

  const remove = operation('DeleteObject', ({ bucket, key, query }) => {
    const marker = store.remove(bucket, key, query.get('versionId') ?? undefined);
    return { status: 204, headers: marker ? { ...receipt(marker), 'x-amz-delete-marker': 'true' } : {} };
  });

  async function removeMany(request: S3Request): Promise<Call> {
    const document = (await readBody(request, maxDeleteBytes)).toString();
    const objects = elements(document, 'Object').map(object => ({
      Key: text(object, 'Key') ?? '',
      VersionId: text(object, 'VersionId'),
    }));
    const perform = async () => {
      for (const { Key, VersionId } of objects) store.remove(request.bucket, Key, VersionId);
      return xmlReply('DeleteResult', { Deleted: text(document, 'Quiet') === 'true' ? [] : objects });
    };
    const grants = objects.map(({ Key, VersionId }) =>
      grant(VersionId ? 'DeleteObjectVersion' : 'DeleteObject', { ...request, key: Key }),
    );
    return { action: 'DeleteObjects', grants, perform };
  }

  /** An upload from a browser's form. The key stands in the form, so that is read up to its file first. */
  async function post(request: S3Request): Promise<Call> {
    const { bucket } = request;
    const { fields, fileName, file } = await readForm(request.body, request.headers['content-type']);
    const key = (fields.get('key') ?? '').replaceAll('${filename}', fileName);
    if (!key) throw new AwsError('InvalidArgument', 'The form must name a key before its file');
    const range = verifyPostPolicy(bucket, new Map([...fields, ['key', key]]), verification);
    // Fields are UTF-8, headers travel as Latin-1.
    const latin1 = [...fields].map(([name, value]) => [name, Buffer.from(value).toString('latin1')]);
    const headers = keptHeaders(Object.fromEntries(latin1));
    const perform = async (): Promise<Reply> => {
      const entry = store.commit(bucket, key, await store.blobs.stage(file, {}, range), headers);
      const status = Number(fields.get('success_action_status'));
      const result = { Location: `/${bucket}/${key}`, Bucket: bucket, Key: key, ETag: `"${entry.etag}"` };
      if (status === 201) return { ...xmlReply('PostResponse', result, receipt(entry)), status };
      return { status: status === 200 ? 200 : 204, headers: receipt(entry) };
    };
    const signedBy = fields.get('x-amz-credential')?.split('/')[0];
    return { action: 'PostObject', grants: [grant('PutObject', { ...request, key })], perform, signedBy };
  }

  return {
    'GET object': operation('GetObject', read),
    'HEAD object': operation('HeadObject', read, 'GetObject'),
    'PUT object': request => ('x-amz-copy-source' in request.headers ? copy : put)(request),
    'DELETE object': remove,
    'POST bucket?delete': removeMany,
    'POST bucket': post,
  };
}
