import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  billOfMillion,
  deployed,
  firehoseBilledBytes,
  kinesisBilledBytes,
  putPayloadUnits,
  totalOf,
} from '../../../bench/bill.ts';
import { costsMarkdown } from '../../../bench/costs.ts';
import { countEventsOfSize, countVisits, type Usage } from '../../../bench/usage.ts';

describe('rounding', () => {
  test.each([
    ['on demand, 1 KB a record', kinesisBilledBytes, [1, 1024, 1025], 4 * 1024],
    ['Firehose, 5 KB a record', firehoseBilledBytes, [1, 5 * 1024, 5 * 1024 + 1], 20 * 1024],
    ['provisioned, units of 25 KB', putPayloadUnits, [1, 25 * 1024, 45 * 1024, 1024 * 1024], 1 + 1 + 2 + 41],
  ])('%s', (_, bill, sizes, wanted) => {
    expect(bill(sizes)).toBe(wanted);
  });
});

/** A thousand requests of one event each, which is a record of 6 KB. */
const usage: Usage = {
  events: 1000,
  httpUnits: 1000,
  invocations: 1000,
  putCalls: 1000,
  recordBytes: Array<number>(1000).fill(6 * 1024),
  payloadBytes: 1000 * 6 * 1024,
  metricsBytes: 500_000,
};

test('the bill of a million is what each part lists, for what its unit makes of the usage', () => {
  const bill = new Map(billOfMillion(usage).map(({ what, dollars }) => [what, dollars]));
  const gb = (kilobytes: number) => (kilobytes * 1e6) / 1024 ** 2;
  expect(bill.get('HTTP API: requests')).toBeCloseTo(1);
  expect(bill.get('Lambda: requests')).toBeCloseTo(0.2);
  expect(bill.get('Lambda: time')).toBeCloseTo(15_000 * 0.0000133334);
  expect(bill.get('Kinesis: in')).toBeCloseTo(gb(6) * 0.08);
  expect(bill.get('Firehose: in')).toBeCloseTo(gb(10) * 0.029);
  expect(bill.get('X-Ray: traces')).toBeCloseTo(0.25);
});

test('the handler is counted: calls, records and every event in them', async () => {
  const ten = await countVisits(10, 20);
  expect(ten).toMatchObject({ events: 200, httpUnits: 20, invocations: 20, putCalls: 20 });
  expect(ten.recordBytes).toHaveLength(20);
  expect(ten.payloadBytes).toBe(ten.recordBytes.reduce((sum, bytes) => sum + bytes - 38, 0)); // a UUID and `-0` are the key
  expect(totalOf(billOfMillion(ten))).toBeLessThan(totalOf(billOfMillion(await countVisits(1, 200))) / 2);
});

test('events of a size make batches of that size, and none is smaller than its fields', async () => {
  const { httpUnits, events } = await countEventsOfSize(1000, 500, 3);
  expect({ httpUnits, events }).toEqual({ httpUnits: 3, events: 1500 }); // 500 KB each, of 512 KB that are one request
  await expect(countEventsOfSize(100, 1, 1)).rejects.toThrow('An event cannot be 100 bytes');
});

test('the bill is of what is deployed', () => {
  const text = (path: string) => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
  const collect = text('infra/clickstream/functions.yml').split(/^configure-tracker:/m)[0];
  const production = text('infra/stages/prod.yml');
  expect(collect).toContain(`memorySize: ${deployed.collectMemoryMb}\n`);
  expect(production).toContain(`streamRetentionHours: ${deployed.streamRetentionHours}\n`);
  expect(production).toContain(`deliveryBufferSeconds: ${deployed.deliveryBufferSeconds}\n`);
  expect(production).toContain('streamMode: ON_DEMAND\n');
});

test('docs/costs.md is what the counted calls cost', async () => {
  await expect(await costsMarkdown()).toMatchFileSnapshot('../../../docs/costs.md');
});
