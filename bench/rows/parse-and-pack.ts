import { createDeviceReader } from '../../src/lib/clickstream/device.ts';
import { type Intake, takeIn } from '../../src/lib/clickstream/intake.ts';
import type { PackedRecord } from '../../src/lib/clickstream/pack.ts';
import type { TrackerRequest } from '../../src/lib/clickstream/protocols/protocol.ts';
import { bytesIn, eventsIn, httpEventOfVisit, sources } from '../collect.ts';
import { createGuests } from '../guests.ts';
import { interleave, processorMs, speedOf } from '../measure.ts';
import { atLeast, type BenchContext, checkBooks, type Result, type Row } from '../row.ts';

const eventsARound = 2_000;

/** Row 1: collect's own work, from the text of a body to the records to put. */
export const parseAndPack: Row = {
  id: 1,
  run: async context => [await measure(context, '1a', 10), await measure(context, '1b', 50)],
};

async function measure({ amount }: BenchContext, id: string, eventCount: number): Promise<Result> {
  const { visit } = createGuests();
  const settings = { sources, deviceOf: createDeviceReader() };
  const requests = Array.from({ length: eventsARound / eventCount }, () => prepare(visit(eventCount)));
  let oursBytes = 0;
  let floorBytes = 0;

  function ours(): void {
    for (const { request, receipt } of requests) {
      oursBytes += bytesIn(accepted(takeIn(request, receipt, settings)).eventRecords);
    }
  }

  /**
   * The floor: nobody who takes these bodies and writes these lines can do less than parse the body as JSON, stringify
   * each row as JSON and encode the text. Its rows are ready-made objects: it neither looks at what it parsed nor checks,
   * renames, or computes anything.
   */
  function floor(): void {
    for (const { request, rows } of requests) {
      JSON.parse(request.body);
      let text = '';
      for (const row of rows) text += `${JSON.stringify(row)}\n`;
      floorBytes += Buffer.from(text).byteLength;
    }
  }

  const rounds = amount(201, 41);
  await interleave(ours, floor, 20); // V8 compiles what it has seen run
  [oursBytes, floorBytes] = [0, 0];
  const timed = await interleave(ours, floor, rounds, processorMs);
  // On the clock only bytes are counted, which costs nothing; that they are all the events was checked before.
  const bytes = rounds * requests.reduce((sum, request) => sum + request.bytes, 0);
  checkBooks(`Row ${id}, bytes of collect`, bytes, oursBytes);
  checkBooks(`Row ${id}, bytes of the floor`, bytes, floorBytes);
  const name = `parse + check + enrich + pack ÷ JSON.parse + JSON.stringify of the same, ${eventCount} events`;
  return { id, name, ...speedOf(timed), target: atLeast(0.85) };

  function prepare(of: ReturnType<typeof visit>) {
    const { rawPath: path, headers, body = '', requestContext } = httpEventOfVisit(of);
    const request: TrackerRequest = { path, headers, body, sourceIp: requestContext.http.sourceIp };
    const receipt = { requestId: crypto.randomUUID(), receivedAtMs: of.sentAtMs + 60 };
    const records = accepted(takeIn(request, receipt, settings)).eventRecords;
    checkBooks(`Row ${id}, events`, eventCount, eventsIn(records));
    const lines = textOf(records);
    const rows: object[] = lines.map(line => JSON.parse(line));
    // The floor must emit the very same bytes, or the comparison is none.
    if (rows.some((row, index) => JSON.stringify(row) !== lines[index]))
      throw new Error('The floor writes other bytes.');
    return { request, receipt, rows, bytes: bytesIn(records) };
  }
}

function accepted(outcome: ReturnType<typeof takeIn>): Intake {
  if ('refused' in outcome) throw new Error(`The request was refused: ${outcome.detail}`);
  return outcome;
}

function textOf(records: readonly PackedRecord[]): string[] {
  return Buffer.concat(records.map(record => record.data))
    .toString('utf8')
    .trimEnd()
    .split('\n');
}
