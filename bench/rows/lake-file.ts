import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createDuckdb } from '../../local/engines/duckdb.ts';
import { createDeviceReader } from '../../src/lib/clickstream/device.ts';
import { eventColumns } from '../../src/lib/clickstream/event.ts';
import { takeIn } from '../../src/lib/clickstream/intake.ts';
import { httpEventOfVisit, sources } from '../collect.ts';
import { createGuests, createRandom, uuidFrom } from '../guests.ts';
import { counted } from '../measure.ts';
import { atMost, checkBooks, type Row } from '../row.ts';

const eventsPerVisit = 10;
const visits = 2_500;

/** Row 7: what the lake stores for the same lines as a Parquet file and as gzipped JSON, what Firehose writes by default. */
export const lakeFile: Row = {
  id: 7,
  // A quick run writes the same file: fewer events would compress otherwise.
  run: async ({ workDir }) => {
    const lines = collectedLines();
    const [json, parquet] = [join(workDir, 'events.json'), join(workDir, 'events.parquet')];
    await writeFile(json, lines);
    const duckdb = createDuckdb({ dir: workDir, log: () => {} });
    try {
      // As local/services/firehose/destination.ts writes it, with the delivery stream's compression.
      const schema = eventColumns.map(({ name, type }) => `'${name}': '${type}'`);
      const rows = `read_json('${json}', format = 'unstructured', columns = {${schema}})`;
      await duckdb.run(`COPY (FROM ${rows}) TO '${parquet}' (FORMAT parquet, COMPRESSION gzip)`);
      const { rows: counts } = await duckdb.query(`SELECT count(DISTINCT ingest_id) FROM '${parquet}'`);
      checkBooks('Row 7', visits * eventsPerVisit, Number(counts[0]?.[0]));
    } finally {
      await duckdb.stop();
    }
    const ratio = (await stat(parquet)).size / gzipSync(lines).length;
    const name = `Parquet ÷ gzipped JSON bytes, one file of ${visits * eventsPerVisit} events (no query is shipped yet: bytes scanned not measured)`;
    return [{ id: '7', name, ...counted(ratio), target: atMost(0.9) }];
  },
};

function collectedLines(): Buffer {
  const { visit } = createGuests();
  const random = createRandom(7);
  const settings = { sources, deviceOf: createDeviceReader() };
  const records = Array.from({ length: visits }, () => {
    const next = visit(eventsPerVisit);
    const { rawPath: path, headers, body = '', requestContext } = httpEventOfVisit(next);
    const receipt = { requestId: uuidFrom(random), receivedAtMs: next.sentAtMs + 60 };
    const request = { path, headers, body, sourceIp: requestContext.http.sourceIp };
    const intake = takeIn(request, receipt, settings);
    if ('refused' in intake) throw new Error(`The request was refused: ${intake.detail}`);
    return intake.eventRecords.map(record => record.data);
  });
  return Buffer.concat(records.flat());
}
