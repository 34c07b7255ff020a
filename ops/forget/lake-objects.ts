import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { forgottenPrefix } from '../books/forgotten.ts';
import type { Stage } from '../stage.ts';
import type { RemovedRow, Rewritten } from './lines.ts';

/** What came of the objects under one prefix. */
export interface Removal {
  readonly objectsRead: number;
  readonly objectsChanged: number;
  readonly removed: number;
}

export interface LakeObjects {
  /**
   * Puts each object under `prefix` through `rewrite` and writes back the ones that lost something, noting for the books which
   * rows went; with `isDryRun` none.
   * An object that was changed meanwhile, by a compaction, is refused rather than overwritten.
   */
  readonly rewrite: (prefix: string, rewrite: (bytes: Buffer) => Rewritten | Promise<Rewritten>) => Promise<Removal>;
}

export interface LakeOptions {
  readonly bucket: string;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly onObject: (key: string) => void;
}

export function createLakeObjects({ aws, isLocal, explain }: Stage, options: LakeOptions): LakeObjects {
  const { bucket: Bucket, isDryRun, signal, onObject } = options;
  // A local bucket has no host name of its own.
  const client = new S3Client({ ...aws, forcePathStyle: isLocal });

  async function note(Key: string, rows: readonly RemovedRow[]): Promise<void> {
    const Body = rows.map(row => `${JSON.stringify(row)}\n`).join('');
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/x-ndjson' }));
  }

  async function rewriteObject(
    Key: string,
    rewrite: (bytes: Buffer) => Rewritten | Promise<Rewritten>,
  ): Promise<number> {
    signal.throwIfAborted();
    onObject(Key);
    const { Body, ETag, ContentType } = await client.send(new GetObjectCommand({ Bucket, Key }));
    const { bytes, removed, rows } = await rewrite(Buffer.from((await Body?.transformToByteArray()) ?? []));
    if (removed > 0 && !isDryRun) {
      // Before they go: the books ask the lake first, so what is noted and still there counts once.
      await note(`${forgottenPrefix}${Key}/${ETag?.replaceAll('"', '')}.json`, rows);
      await client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, ContentType, IfMatch: ETag }));
    }
    return removed;
  }

  return {
    rewrite: async (Prefix, rewrite) => {
      let removal: Removal = { objectsRead: 0, objectsChanged: 0, removed: 0 };
      try {
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
          for (const { Key = '' } of Contents) {
            const removed = await rewriteObject(Key, rewrite);
            removal = {
              objectsRead: removal.objectsRead + 1,
              objectsChanged: removal.objectsChanged + (removed > 0 ? 1 : 0),
              removed: removal.removed + removed,
            };
          }
        }
      } catch (error) {
        throw explain(error);
      }
      return removal;
    },
  };
}

export const sumOf = (removals: readonly Removal[]): Removal =>
  removals.reduce(
    (sum, { objectsRead, objectsChanged, removed }) => ({
      objectsRead: sum.objectsRead + objectsRead,
      objectsChanged: sum.objectsChanged + objectsChanged,
      removed: sum.removed + removed,
    }),
    { objectsRead: 0, objectsChanged: 0, removed: 0 },
  );
