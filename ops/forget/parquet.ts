import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { textLiteral } from '../sql/literal.ts';
import { type Rewritten, removedRow } from './lines.ts';

export interface ParquetRewriter {
  /** A Parquet object without the rows that meet `condition`; its columns and the order of its rows stay. */
  readonly without: (bytes: Buffer, condition: string) => Promise<Rewritten>;
  readonly close: () => void;
}

/** Rewrites Parquet with DuckDB, one object at a time, in files in `dir`. */
export async function createParquetRewriter(dir: string): Promise<ParquetRewriter> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1GB', temp_directory: join(dir, 'spill') });
  const connection = await instance.connect();
  const [before, after] = [join(dir, 'before.parquet'), join(dir, 'after.parquet')];

  async function without(bytes: Buffer, condition: string): Promise<Rewritten> {
    await writeFile(before, bytes);
    const rows = `read_parquet(${textLiteral(before)})`;
    const theirs = `SELECT ingest_id, received_at::VARCHAR FROM ${rows} WHERE ${condition}`;
    const found = (await connection.runAndReadAll(theirs)).getRows();
    const removed = { removed: found.length, rows: found.flatMap(([id, at]) => removedRow(id, at)) };
    if (removed.removed === 0) return { bytes, ...removed };
    // GZIP as Firehose writes it: see EventsDelivery.
    const kept = `SELECT * FROM ${rows} WHERE (${condition}) IS NOT TRUE`;
    await connection.run(`COPY (${kept}) TO ${textLiteral(after)} (FORMAT parquet, COMPRESSION gzip)`);
    return { bytes: await readFile(after), ...removed };
  }

  return {
    without,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
