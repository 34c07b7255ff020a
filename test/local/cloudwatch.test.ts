import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Gate } from '../../local/gate/listen.ts';
import { createCloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { createCounter } from '../../src/lib/runtime/metrics.ts';
import { serve } from './serve.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'tableside-cloudwatch-'));
const noon = Date.parse('2026-11-20T12:00:00Z');
let gate: Gate;
let cloudWatch: CloudWatchClient;

beforeAll(async () => {
  let log = 'a line of another kind\n{"_aws": cut off\n';
  const counterOf = (stage: string) => createCounter(stage, line => (log += line));
  const count = counterOf('local');
  count({ Orders: 2, Refused: 1 }, {}, noon);
  count({ Orders: 3 }, {}, noon + 59_999);
  count({ Orders: 5 }, {}, noon + 60_000);
  count({ Orders: 100 }, {}, noon - 1);
  counterOf('other')({ Orders: 1000 }, {}, noon);
  mkdirSync(join(stateDir, 'logs'));
  writeFileSync(join(stateDir, 'logs', 'place-order.log'), log);
  const context = { region: 'us-east-1', accountId: '000000000000', stateDir, now: Date.now, log: () => {} };
  gate = await serve([createCloudWatch(context)]);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  cloudWatch = new CloudWatchClient({ endpoint: gate.endpoint, region: 'us-east-1', credentials });
});

afterAll(async () => {
  cloudWatch.destroy();
  await gate.stop();
  rmSync(stateDir, { recursive: true });
});

function query(MetricName: string, Period: number, Stat = 'Sum', stage = 'local'): MetricDataQuery {
  const Dimensions = [
    { Name: 'service', Value: 'tableside' },
    { Name: 'stage', Value: stage },
  ];
  return {
    Id: `${MetricName.toLowerCase()}`,
    MetricStat: { Metric: { Namespace: 'Tableside', MetricName, Dimensions }, Period, Stat },
  };
}

async function ask(...MetricDataQueries: MetricDataQuery[]) {
  const times = { StartTime: new Date(noon), EndTime: new Date(noon + 3_600_000) };
  return (await cloudWatch.send(new GetMetricDataCommand({ ...times, MetricDataQueries }))).MetricDataResults;
}

it('sums what functions counted, by period, within the time asked for', async () => {
  expect(await ask(query('Orders', 60), query('Refused', 60))).toMatchObject([
    { Id: 'orders', StatusCode: 'Complete', Timestamps: [new Date(noon), new Date(noon + 60_000)], Values: [5, 5] },
    { Id: 'refused', Values: [1] },
  ]);
  expect(await ask(query('Orders', 3600))).toMatchObject([{ Timestamps: [new Date(noon)], Values: [10] }]);
});

it('keeps apart by dimension, and knows nothing of what nobody counted', async () => {
  expect(await ask(query('Orders', 60, 'Sum', 'other'))).toMatchObject([{ Values: [1000] }]);
  expect(await ask(query('Dishes', 60))).toMatchObject([{ Values: [] }]);
});

it('refuses another statistic by name', async () => {
  await expect(ask(query('Orders', 60, 'p99'))).rejects.toThrow(/^orders: the local CloudWatch knows only .* Sum/);
});
