import { AwsError, type Reply } from '../../gate/service.ts';
import { type Operations, operation, type S3Request, xmlReply } from './protocol/service.ts';
import { afterAnyKey, type Entry, type Store } from './store.ts';

const iso = (epochMs: number) => new Date(epochMs).toISOString();

export function createBucketOperations(store: Store): Operations {
  function listBuckets(): Reply {
    const buckets = store.buckets().map(({ name, created }) => ({ Name: name, CreationDate: iso(created) }));
    return xmlReply('ListAllMyBucketsResult', { Buckets: { Bucket: buckets } });
  }

  function create({ bucket }: S3Request): Reply {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
      throw new AwsError('InvalidBucketName', 'A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens');
    }
    store.putBucket(bucket, store.bucket(bucket) ?? {});
    return { status: 200, headers: { location: `/${bucket}` } };
  }

  function remove({ bucket }: S3Request): Reply {
    if (!store.isEmpty(bucket)) throw new AwsError('BucketNotEmpty', `The bucket ${bucket} still holds objects`, 409);
    store.removeBucket(bucket);
    return { status: 204 };
  }

  return {
    'GET service': operation('ListBuckets', listBuckets, 'ListAllMyBuckets'),
    'PUT bucket': operation('CreateBucket', create),
    'HEAD bucket': operation('HeadBucket', () => ({ status: 200 }), 'ListBucket'),
    'DELETE bucket': operation('DeleteBucket', remove),
    'GET bucket': operation('ListObjectsV2', request => listObjects(store, request), 'ListBucket'),
    // An empty answer means us-east-1.
    'GET bucket?location': operation('GetBucketLocation', () => xmlReply('LocationConstraint', '')),
  };
}

/** A continuation token is the last key or common prefix that was listed. */
function listObjects(store: Store, { bucket, query }: S3Request): Reply {
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const maxKeys = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
  const token = query.get('continuation-token');
  let after = token ? Buffer.from(token, 'base64url').toString() : (query.get('start-after') ?? '');
  const contents: Entry[] = [];
  const prefixes: string[] = [];
  let [next] = store.list(bucket, prefix, after, 1);
  for (; next && contents.length + prefixes.length < maxKeys; [next] = store.list(bucket, prefix, after, 1)) {
    const cut = delimiter ? next.key.indexOf(delimiter, prefix.length) : -1;
    if (cut < 0) contents.push(next);
    else prefixes.push(next.key.slice(0, cut + delimiter.length));
    after = cut < 0 ? next.key : prefixes.at(-1) + afterAnyKey;
  }
  const more = next !== undefined && maxKeys > 0;
  const byUrl = query.get('encoding-type') === 'url';
  const encode = (name: string) => (byUrl ? encodeURIComponent(name).replaceAll('%2F', '/') : name);
  return xmlReply('ListBucketResult', {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter ? encode(delimiter) : undefined,
    EncodingType: byUrl ? 'url' : undefined,
    MaxKeys: maxKeys,
    KeyCount: contents.length + prefixes.length,
    IsTruncated: more,
    NextContinuationToken: more ? Buffer.from(after).toString('base64url') : undefined,
    Contents: contents.map(({ key, lastModified, etag, size }) => ({
      Key: encode(key),
      LastModified: iso(lastModified),
      ETag: `"${etag}"`,
      Size: size,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: prefixes.map(name => ({ Prefix: encode(name) })),
  });
}
