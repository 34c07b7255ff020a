import { randomUUID } from 'node:crypto';
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import type { FailedEvent } from '../../../src/lib/clickstream/failed-event.ts';
import { operator, type Stage, untilSql } from '../stage.ts';

/**
 * What a deploy with too strict a rule leaves behind: events that are good, refused. They are put where collect puts
 * what it refuses, through the real delivery stream.
 */
export async function failByMistake(stage: Stage, source: string, count: number, messageId?: string): Promise<void> {
  const requestId = randomUUID();
  const rows = Array.from(
    { length: count },
    (_, index): FailedEvent => ({
      ingest_id: `${requestId}-${index}`,
      ingest_seq: index,
      received_at: new Date().toISOString().slice(0, 23).replace('T', ' '),
      code: 'mistaken-rule',
      reason: 'A rule that was too strict.',
      event_id: messageId,
      protocol: 'segment',
      source,
      user_agent: 'Mozilla/5.0',
      ip: '203.0.113.0',
      is_private: false,
      raw: JSON.stringify({ type: 'track', event: `e${index}`, anonymousId: 'a', messageId }),
      schema_version: 1,
    }),
  );
  const firehose = new FirehoseClient({ endpoint: stage.endpoint, region: 'us-east-1', credentials: operator });
  const Data = Buffer.from(rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  await firehose.send(
    new PutRecordBatchCommand({ DeliveryStreamName: 'tableside-local-failed-events', Records: [{ Data }] }),
  );
  firehose.destroy();
  await untilSql(stage, `select count(*) from failed_events where source = '${source}'`, [[String(count)]]);
}
