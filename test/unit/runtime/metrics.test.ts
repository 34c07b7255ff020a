import { expect, test } from 'vitest';
import { createCounter } from '../../../src/lib/runtime/metrics.ts';

test('counts are one line that CloudWatch reads as metrics', () => {
  const lines: string[] = [];
  createCounter('local', line => lines.push(line))(
    { EventsReceived: 3, EventsRejected: 1 },
    { source: 'website' },
    1_795_168_800_250,
  );
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    _aws: {
      Timestamp: 1_795_168_800_250,
      CloudWatchMetrics: [
        {
          Namespace: 'Tableside',
          Dimensions: [['service', 'stage']],
          Metrics: [
            { Name: 'EventsReceived', Unit: 'Count' },
            { Name: 'EventsRejected', Unit: 'Count' },
          ],
        },
      ],
    },
    service: 'tableside',
    stage: 'local',
    source: 'website',
    EventsReceived: 3,
    EventsRejected: 1,
  });
});
