import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createBlobs } from './blobs.ts';
import type { CorsRule } from './protocol/cors.ts';

export type Headers = Readonly<Record<string, string>>;
export type Store = ReturnType<typeof openStore>;

export interface Bucket {
  readonly versioned?: boolean;
  readonly cors?: readonly CorsRule[];
  /** Of the hidden bucket that collects a multipart upload's parts: the object they will be. */
  readonly upload?: { readonly key: string; readonly headers: Headers };
}

/** A version of an object: its row in the index. */
export interface Entry {
  readonly bucket: string;
  readonly key: string;
  /** `null`, as S3 writes it, where the bucket was not versioned. */
  readonly version: string;
  /** Empty: a delete marker. */
  readonly blob: string;
  readonly size: number;
  readonly etag: string;
  readonly crc32: string;
  readonly lastModified: number;
  /** JSON of what it is answered with. */
  readonly headers: string;
}

/** Bytes on disk that no row names yet. */
export type Staged = Pick<Entry, 'blob' | 'size' | 'etag' | 'crc32'>;
/** Is shown the object that a commit would replace, and may refuse by throwing. */
export type Guard = (present?: Entry) => void;
type Changed = (type: 'created' | 'removed', entry: Entry) => void;

const schema = `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created INTEGER, settings TEXT);
  CREATE TABLE IF NOT EXISTS objects (id INTEGER PRIMARY KEY, bucket TEXT, key TEXT, version TEXT, blob TEXT,
    size INTEGER, etag TEXT, crc32 TEXT, lastModified INTEGER, headers TEXT, UNIQUE (bucket, key, version))`;
const deleteMarker: Staged = { blob: '', size: 0, etag: '', crc32: '' };
/** No URL can name such a bucket. */
const isUpload = (bucketName: string) => bucketName.includes('/');
/** Sorts after every key that begins with what stands before it. */
export const afterAnyKey = '\u{10FFFF}';

/** Objects are rows: one exists from its row's single statement on, after its blob was written, checked and renamed. */
export function openStore(dir: string, now: () => number, changed: Changed) {
  mkdirSync(dir, { recursive: true });
  const database = new DatabaseSync(join(dir, 'index.sqlite'));
  database.exec(schema);
  const rows = <Row = Entry>(sql: string) => {
    const statement = database.prepare(sql);
    return (...values: (string | number)[]) => statement.all(...values) as unknown as Row[];
  };
  const exact = rows('SELECT * FROM objects WHERE bucket = ? AND key = ? AND version = ?');
  const latest = rows('SELECT * FROM objects WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1');
  const page = rows(`SELECT *, max(id) FROM objects WHERE bucket = ? AND key >= max(?, ?) AND key < ?
    GROUP BY key HAVING blob <> '' ORDER BY key LIMIT ?`);
  const insert = rows('INSERT OR REPLACE INTO objects VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *');
  const erase = rows('DELETE FROM objects WHERE bucket = ? AND key = ? AND version = ? RETURNING *');
  const eraseAll = rows('DELETE FROM objects WHERE bucket = ? RETURNING *');
  const bucketRow = rows<{ settings: string }>('SELECT settings FROM buckets WHERE name = ?');
  const anyOf = rows('SELECT * FROM objects WHERE bucket = ? LIMIT 1');
  const upsert = rows('INSERT INTO buckets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET settings = excluded.settings');
  const eraseBucket = rows('DELETE FROM buckets WHERE name = ?');
  const blobs = createBlobs(join(dir, 'blobs'), new Set(rows('SELECT blob FROM objects')().map(row => row.blob)));

  const bucket = (name: string): Bucket | undefined => bucketRow(name).map(({ settings }) => JSON.parse(settings))[0];

  function find(bucketName: string, key: string, version?: string): Entry | undefined {
    const [entry] = version ? exact(bucketName, key, version) : latest(bucketName, key);
    return entry?.blob ? entry : undefined;
  }

  /** Makes staged bytes the object. Nothing can come between the guard and the row. */
  function commit(name: string, key: string, staged: Staged, headers: Headers, guard?: Guard): Entry {
    try {
      guard?.(find(name, key));
    } catch (error) {
      blobs.retire([staged], 0);
      throw error;
    }
    const version = bucket(name)?.versioned ? randomBytes(24).toString('base64url') : 'null';
    blobs.retire(exact(name, key, version));
    const { blob, size, etag, crc32 } = staged;
    const [entry] = insert(name, key, version, blob, size, etag, crc32, now(), JSON.stringify(headers)) as [Entry];
    if (blob && !isUpload(name)) changed('created', entry);
    return entry;
  }

  /** Removes one version, or the object: in a versioned bucket that only hides it behind a marker, which is returned. */
  function remove(name: string, key: string, version?: string): Entry | undefined {
    const entry = find(name, key, version);
    const marker = !version && bucket(name)?.versioned ? commit(name, key, deleteMarker, {}) : undefined;
    if (!marker) blobs.retire(erase(name, key, version ?? 'null'));
    if (entry) changed('removed', entry);
    return marker;
  }

  return {
    blobs,
    bucket,
    buckets: rows<{ name: string; created: number }>("SELECT * FROM buckets WHERE name NOT LIKE '%/%' ORDER BY name"),
    putBucket: (name: string, settings: Bucket) => upsert(name, now(), JSON.stringify(settings)),
    /** Removes a bucket with all that is in it. */
    removeBucket(name: string): void {
      blobs.retire(eraseAll(name));
      eraseBucket(name);
    },
    isEmpty: (name: string) => anyOf(name).length === 0,
    find,
    /** At most `limit` objects whose key begins with `prefix` and comes after `after`, in key order. */
    list: (name: string, prefix: string, after = '', limit = -1) =>
      page(name, prefix, after && `${after}\0`, prefix + afterAnyKey, limit),
    commit,
    remove,
    close(): void {
      blobs.close();
      database.close();
    },
  };
}
