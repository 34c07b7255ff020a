import { createDeviceReader } from '../../src/lib/clickstream/device.ts';
import { type IntakeSettings, takeIn } from '../../src/lib/clickstream/intake.ts';
import type { PackedRecord } from '../../src/lib/clickstream/pack.ts';
import type { TrackerRequest } from '../../src/lib/clickstream/protocols/protocol.ts';
import { bytesIn, eventsIn, httpEventOfVisit, sources } from '../collect.ts';
import { createGuests, type Visit } from '../guests.ts';
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
  const requests = Array.from({ length: eventsARound / eventCount }, () => prepare(visit(eventCount), settings));
  // On the clock only bytes are counted, which costs nothing; that they are all the events is checked here.
  for (const { records } of requests) checkBooks(`Row ${id}, events`, eventCount, eventsIn(records));
  let oursBytes = 0;
  let floorBytes = 0;
  const ours = () => {
    for (const { request, receipt } of requests) oursBytes += bytesIn(accepted(takeIn(request, receipt, settings)));
  };
  const floor = () => {
    for (const prepared of requests) floorBytes += writeFloor(prepared).byteLength;
  };

  const rounds = amount(201, 41);
  await interleave(ours, floor, 20); // V8 compiles what it has seen run
  [oursBytes, floorBytes] = [0, 0];
  const timed = await interleave(ours, floor, rounds, processorMs);
  const bytes = rounds * requests.reduce((sum, { records }) => sum + bytesIn(records), 0);
  checkBooks(`Row ${id}, bytes of collect`, bytes, oursBytes);
  checkBooks(`Row ${id}, bytes of the floor`, bytes, floorBytes);
  const name = `parse + check + enrich + pack ÷ JSON.parse + JSON.stringify of the same, ${eventCount} events`;
  return { id, name, ...speedOf(timed), target: atLeast(0.85) };
}

/**
 * The floor: nobody who takes these bodies and writes these lines as JSON can do less than parse the body, stringify each
 * row and encode the text. Its rows are ready-made objects: it neither looks at what it parsed nor checks, renames or
 * computes anything.
 */
function writeFloor({ request, rows }: Prepared): Uint8Array {
  JSON.parse(request.body);
  let text = '';
  for (const row of rows) text += `${JSON.stringify(row)}\n`;
  return Buffer.from(text);
}

type Prepared = ReturnType<typeof prepare>;

function prepare(visit: Visit, settings: IntakeSettings) {
  const { rawPath: path, headers, body = '', requestContext } = httpEventOfVisit(visit);
  const request: TrackerRequest = { path, headers, body, sourceIp: requestContext.http.sourceIp };
  const receipt = { requestId: crypto.randomUUID(), receivedAtMs: visit.sentAtMs + 60 };
  const records = accepted(takeIn(request, receipt, settings));
  const text = Buffer.concat(records.map(({ data }) => data)).toString('utf8');
  const rows: object[] = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  // The floor must emit the very same bytes, or the comparison is none.
  if (rows.map(row => `${JSON.stringify(row)}\n`).join('') !== text) throw new Error('The floor writes other bytes.');
  return { request, receipt, rows, records };
}

function accepted(outcome: ReturnType<typeof takeIn>): readonly PackedRecord[] {
  if ('refused' in outcome) throw new Error(`The request was refused: ${outcome.detail}`);
  return outcome.eventRecords;
}
