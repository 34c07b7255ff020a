import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createJsonService, type JsonInput } from '../../gate/json-protocol.ts';
import { AwsError, type Service } from '../../gate/service.ts';
import type { CloudContext } from '../../part.ts';

type Dimensions = readonly { readonly Name: string; readonly Value: string }[];

interface MetricQuery {
  readonly Id: string;
  readonly MetricStat?: {
    readonly Metric: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions?: Dimensions };
    readonly Period: number;
    readonly Stat: string;
  };
}

/** A log line in the embedded metric format. */
type MetricLine = Readonly<Record<string, unknown>> & {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly { readonly Namespace: string; readonly Dimensions: readonly string[][] }[];
  };
};

/** CloudWatch's GetMetricData over the function logs, where a metric is on disk before its function answers. */
export function createCloudWatch({ stateDir }: CloudContext): Service {
  async function getMetricData({ MetricDataQueries, StartTime, EndTime }: JsonInput): Promise<object> {
    const sums = (MetricDataQueries as MetricQuery[]).map(query => ({
      ...statOf(query),
      byTime: new Map<number, number>(),
    }));
    for await (const line of metricLines(join(stateDir, 'logs'))) {
      const atSeconds = line._aws.Timestamp / 1000;
      if (atSeconds < Number(StartTime) || atSeconds >= Number(EndTime)) continue;
      for (const { Metric, Period, byTime } of sums) {
        const value = line[Metric.MetricName];
        const time = Math.floor(atSeconds / Period) * Period;
        if (typeof value === 'number' && isOf(Metric, line)) byTime.set(time, (byTime.get(time) ?? 0) + value);
      }
    }
    const results = sums.map(({ Id, byTime }) => ({
      Id,
      Timestamps: [...byTime.keys()],
      Values: [...byTime.values()],
    }));
    return { MetricDataResults: results.map(result => ({ ...result, StatusCode: 'Complete' })) };
  }

  const actions = { GetMetricData: { perform: getMetricData } };
  const targetPrefix = 'GraniteServiceVersion20100801';
  return createJsonService({ name: 'monitoring', iamPrefix: 'cloudwatch', targetPrefix, version: '1.0', actions });
}

function statOf({ Id, MetricStat }: MetricQuery) {
  if (MetricStat?.Stat === 'Sum') return { ...MetricStat, Id };
  throw new AwsError('ValidationError', `${Id}: the local CloudWatch knows only MetricStat queries with Stat Sum`);
}

function isOf(metric: { Namespace: string; Dimensions?: Dimensions }, line: MetricLine): boolean {
  const { Namespace, Dimensions = [] } = metric;
  const isAsked = (names: readonly string[]) =>
    names.length === Dimensions.length &&
    Dimensions.every(({ Name, Value }) => names.includes(Name) && line[Name] === Value);
  return line._aws.CloudWatchMetrics.some(entry => entry.Namespace === Namespace && entry.Dimensions.some(isAsked));
}

async function* metricLines(logsDir: string): AsyncGenerator<MetricLine> {
  for (const file of readdirSync(logsDir)) {
    for await (const line of createInterface({ input: createReadStream(join(logsDir, file)) })) {
      if (line.startsWith('{"_aws":') && line.endsWith('}')) yield JSON.parse(line);
    }
  }
}
