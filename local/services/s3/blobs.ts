import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SizeRange } from '../../gate/sigv4.ts';
import { type Body, verified } from './protocol/body.ts';

/** A replaced blob stays this long for readers that were given its path. */
const graceMs = 60_000;

/** Immutable files named by id, never by key. Whatever no row names at the start was left by a crash, and is removed. */
export function createBlobs(dir: string, named: ReadonlySet<string>) {
  let closed = false;
  mkdirSync(dir, { recursive: true });
  for (const file of readdirSync(dir)) if (!named.has(file)) rmSync(join(dir, file));
  const pathOf = (blob: string) => join(dir, blob);
  const discard = (blob: string) => rm(pathOf(blob), { force: true });

  /** Writes a body to a blob of its own. Throws what is wrong with it, and then keeps nothing. */
  async function stage(body: Body, headers: IncomingHttpHeaders = {}, range?: SizeRange) {
    const blob = randomUUID();
    const { bytes, sums } = verified(body, headers, range);
    // Open before the first byte: a body refused at once would else be discarded before its file is there.
    const file = await open(pathOf(`${blob}.tmp`), 'wx');
    try {
      await pipeline(bytes, file.createWriteStream({ highWaterMark: 1024 * 1024 }));
      await rename(pathOf(`${blob}.tmp`), pathOf(blob));
      return { blob, ...sums };
    } catch (error) {
      await discard(`${blob}.tmp`);
      throw error;
    }
  }

  /** The same bytes under a second name. */
  async function copy(blob: string): Promise<string> {
    const twin = randomUUID();
    await link(pathOf(blob), pathOf(twin));
    return twin;
  }

  /** Discards once readers have had time to open it; closed before that, the next start does. */
  function retire(rows: readonly { readonly blob: string }[], afterMs = graceMs): void {
    const blobs = rows.map(row => row.blob).filter(Boolean);
    if (blobs.length > 0) setTimeout(() => closed || blobs.map(discard), afterMs).unref();
  }

  return { pathOf, discard, stage, copy, retire, close: () => (closed = true) };
}
