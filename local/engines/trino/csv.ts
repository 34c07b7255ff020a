import { open } from 'node:fs/promises';

export interface ResultPage {
  /** NULL is undefined. */
  readonly rows: readonly (readonly (string | undefined)[])[];
  /** Where the next page begins in the file; undefined after the last. */
  readonly next: number | undefined;
}

const chunkBytes = 1024 * 1024;
/** A field and what ends it: quoted text, or nothing at all for NULL. Its quotes are ASCII, so latin1 keeps byte offsets. */
const field = /(?:"((?:[^"]|"")*)")?(,|\n)/y;

/** At most `maxRows` rows of a result file, from a byte offset on; in memory never more than a page. */
export async function readCsv(path: string, from: number, maxRows: number): Promise<ResultPage> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const rows: (string | undefined)[][] = [];
    let [text, next, end] = ['', from, from];
    while (rows.length < maxRows && next < size) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, end);
      text += buffer.toString('latin1', 0, bytesRead);
      end += bytesRead;
      const used = readRows(text, rows, maxRows);
      text = text.slice(used);
      next += used;
    }
    return { rows, next: next < size ? next : undefined };
  } finally {
    await file.close();
  }
}

/** Adds the complete rows that `text` begins with; answers how long they were. */
function readRows(text: string, rows: (string | undefined)[][], maxRows: number): number {
  let row: (string | undefined)[] = [];
  let used = 0;
  field.lastIndex = 0;
  while (rows.length < maxRows) {
    const match = field.exec(text);
    if (!match) break;
    const [, value, end] = match;
    row.push(value === undefined ? undefined : Buffer.from(value, 'latin1').toString().replaceAll('""', '"'));
    if (end !== '\n') continue;
    rows.push(row);
    row = [];
    used = field.lastIndex;
  }
  return used;
}
