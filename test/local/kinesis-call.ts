import { Readable } from 'node:stream';
import type { Kinesis } from '../../local/services/kinesis/kinesis.ts';

/** Calls an API action of the local Kinesis without a listening port between. */
export async function callKinesis(kinesis: Kinesis, action: string, input: object): Promise<void> {
  const [service] = kinesis.services ?? [];
  const call = await service?.receive({
    id: 'test',
    caller: { kind: 'operator', accessKeyId: 'test' },
    method: 'POST',
    target: '/',
    headers: { 'x-amz-target': `Kinesis_20131202.${action}` },
    body: Readable.from([Buffer.from(JSON.stringify(input))]),
  });
  await call?.perform();
}

/** Puts texts under partition keys of their own, and so into several shards. */
export function putKeyed(kinesis: Kinesis, streamName: string, records: readonly [key: string, text: string][]) {
  const Records = records.map(([PartitionKey, text]) => ({ PartitionKey, Data: Buffer.from(text).toString('base64') }));
  return callKinesis(kinesis, 'PutRecords', { StreamName: streamName, Records });
}
