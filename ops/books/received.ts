import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Stage } from '../stage.ts';
import type { Window } from './window.ts';

/** What collect counted. */
export interface Received {
  /** Acknowledged events that went to the stream. */
  readonly accepted: number;
  /** Acknowledged events that went to the failed events. */
  readonly rejected: number;
  /** Events of requests that were answered 503: some may be stored all the same. */
  readonly unacknowledged: number;
}

const metrics = { accepted: 'EventsAccepted', rejected: 'EventsRejected', unacknowledged: 'EventsUnacknowledged' };

/** Collect's own counts, from CloudWatch. They stand at the time of receipt, like `received_at` in the lake. */
export async function readReceived({ aws, name, explain }: Stage, window: Window): Promise<Received> {
  const client = new CloudWatchClient(aws);
  const sums = new Map<string, number>();
  let NextToken: string | undefined;
  do {
    const answer = await client.send(new GetMetricDataCommand({ ...inputOf(name, window), NextToken })).catch(error => {
      throw explain(error);
    });
    for (const { Id = '', Values = [] } of answer.MetricDataResults ?? []) {
      sums.set(
        Id,
        Values.reduce((sum, value) => sum + value, sums.get(Id) ?? 0),
      );
    }
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  const sumOf = (id: keyof typeof metrics) => Math.round(sums.get(id) ?? 0);
  return { accepted: sumOf('accepted'), rejected: sumOf('rejected'), unacknowledged: sumOf('unacknowledged') };
}

function inputOf(stage: string, { fromMs, toMs, periodSeconds }: Window) {
  const Dimensions = [
    { Name: 'service', Value: 'tableside' },
    { Name: 'stage', Value: stage },
  ];
  return {
    StartTime: new Date(fromMs),
    EndTime: new Date(toMs),
    MetricDataQueries: Object.entries(metrics).map(([Id, MetricName]) => ({
      Id,
      MetricStat: { Metric: { Namespace: 'Tableside', MetricName, Dimensions }, Period: periodSeconds, Stat: 'Sum' },
    })),
  };
}
