import { expect, test } from 'vitest';
import { createCounter } from '../../../src/lib/runtime/metrics.ts';

test('counts are one line that CloudWatch reads as metrics', () => {
  const lines: string[] = [];
  createCounter('local', line => lines.push(line))({ EventsReceived: 3, EventsRejected: 1 }, { source: 'website' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    _aws: {
      Timestamp: expect.any(Number),
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
