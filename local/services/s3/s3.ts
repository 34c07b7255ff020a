import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type CloudContext, type CloudPart, provider } from '../../part.ts';
import { createBucketOperations } from './buckets.ts';
import { createMultipartOperations } from './multipart.ts';
import { createObjectOperations, keptHeaders } from './objects.ts';
import type { CorsRule } from './protocol/cors.ts';
import { createS3Service, noSuchBucket } from './protocol/service.ts';
import { type Entry, openStore } from './store.ts';

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly contentType: string;
  /** The committed blob; it can be opened for a minute after the object was replaced or removed. */
  readonly path: string;
  readonly versionId?: string;
}

type Listener = (change: { type: 'created' | 'removed'; object: StoredObject }) => void;

export interface S3 extends CloudPart {
  /** `file` is moved in. Throws NoSuchBucket. */
  readonly put: (
    bucket: string,
    key: string,
    body: Buffer | Readable | { readonly file: string },
    options?: { readonly contentType?: string; readonly contentEncoding?: string },
  ) => Promise<StoredObject>;
  readonly get: (bucket: string, key: string) => StoredObject | undefined;
  /** In key order. */
  readonly list: (bucket: string, prefix: string) => StoredObject[];
  readonly onObject: (listener: Listener) => void;
}

interface BucketProperties {
  readonly BucketName?: string;
  readonly VersioningConfiguration?: { readonly Status: string };
  readonly CorsConfiguration?: { readonly CorsRules: readonly CorsRule[] };
}

/** S3 on files: the wire API for SDKs, browsers and links, and the same objects in process for the other parts. */
export function createS3(
  context: CloudContext,
  dependencies: { readonly secretOf: (accessKeyId: string) => string | undefined },
): S3 {
  const { now, region, stateDir } = context;
  const verification = { now, ...dependencies };
  const listeners: Listener[] = [];
  const store = openStore(join(stateDir, 's3'), now, (type, entry) => {
    for (const listener of listeners) listener({ type, object: objectOf(entry) });
  });
  const operations = {
    ...createBucketOperations(store),
    ...createObjectOperations(store, verification),
    ...createMultipartOperations(store),
  };

  function objectOf({ bucket, key, size, etag, lastModified, blob, version, headers }: Entry): StoredObject {
    const contentType = String(JSON.parse(headers)['content-type']);
    const object = { bucket, key, size, etag, lastModified, contentType, path: store.blobs.pathOf(blob) };
    return version === 'null' ? object : { ...object, versionId: version };
  }

  const put: S3['put'] = async (bucket, key, body, options = {}) => {
    if (!store.bucket(bucket)) throw noSuchBucket(bucket);
    const file = 'file' in body && typeof body.file === 'string' ? body.file : undefined;
    const bytes = file ? createReadStream(file) : Readable.from(body as Buffer | Readable);
    const headers = keptHeaders({ 'content-type': options.contentType, 'content-encoding': options.contentEncoding });
    const entry = store.commit(bucket, key, await store.blobs.stage(bytes), headers);
    if (file) await rm(file);
    return objectOf(entry);
  };

  const deployBucket = provider<BucketProperties>(({ logicalId, properties }) => {
    const name = properties.BucketName ?? logicalId.toLowerCase();
    // A bucket that was ever versioned stays so: its versions must not come back when what hides them is deleted.
    const versioned =
      properties.VersioningConfiguration?.Status === 'Enabled' || store.bucket(name)?.versioned === true;
    store.putBucket(name, { versioned, cors: properties.CorsConfiguration?.CorsRules ?? [] });
    const domains = {
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
    };
    return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}`, ...domains } };
  });

  return {
    services: [createS3Service(operations, verification, store.bucket)],
    providers: {
      'AWS::S3::Bucket': deployBucket,
      // Accepted and not evaluated: callers are held to their own roles.
      'AWS::S3::BucketPolicy': provider<{ Bucket: string }>(({ properties }) => ({ ref: properties.Bucket })),
    },
    put,
    get: (bucket, key) => {
      const entry = store.find(bucket, key);
      return entry && objectOf(entry);
    },
    list: (bucket, prefix) => store.list(bucket, prefix).map(objectOf),
    onObject: listener => void listeners.push(listener),
    stop: async () => store.close(),
  };
}
