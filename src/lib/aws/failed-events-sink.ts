import { PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import type { RecordSink } from '../clickstream/put-all.ts';
import { createFirehoseClient, oneAttemptLong } from './clients.ts';
import { isTransient } from './transient.ts';

/** Hands packed failed events to their delivery stream. Rejects where trying again cannot help. */
export function createFailedEventsSink(deliveryStreamName: string): RecordSink {
  const client = createFirehoseClient();
  return {
    put: async records => {
      const Records = records.map(({ data }) => ({ Data: data }));
      try {
        const answer = await client.send(
          new PutRecordBatchCommand({ DeliveryStreamName: deliveryStreamName, Records }),
          oneAttemptLong(),
        );
        const results = answer.RequestResponses ?? [];
        const refused = records.filter((_, index) => results[index]?.RecordId === undefined);
        return { refused, cause: results.find(result => result.ErrorCode !== undefined) };
      } catch (error) {
        if (!isTransient(error)) throw error;
        return { refused: records, cause: error };
      }
    },
  };
}
