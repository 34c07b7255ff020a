import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { RecordSink } from '../clickstream/put-all.ts';
import { type AwsAccess, createKinesisClient, oneAttemptLong } from './clients.ts';
import { isTransient } from './transient.ts';

/** Puts packed records on the stream. Rejects where trying again cannot help: no stream, no right to it. */
export function createClickstreamSink(streamName: string, access?: AwsAccess): RecordSink {
  const client = createKinesisClient(access);
  return {
    put: async records => {
      const Records = records.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }));
      try {
        const answer = await client.send(new PutRecordsCommand({ StreamName: streamName, Records }), oneAttemptLong());
        const results = answer.Records ?? [];
        // What has no sequence number is not on the stream, whatever else the answer says.
        const refused = records.filter((_, index) => results[index]?.SequenceNumber === undefined);
        return { refused, cause: results.find(result => result.ErrorCode !== undefined) };
      } catch (error) {
        if (!isTransient(error)) throw error;
        return { refused: records, cause: error };
      }
    },
  };
}
