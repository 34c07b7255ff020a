import { FirehoseClient } from '@aws-sdk/client-firehose';
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * An attempt ends after 2 s at the latest, and the SDK makes only one: putAll decides about the next, because it knows
 * which records are left and how much time is.
 */
const oneAttempt = () => ({
  maxAttempts: 1,
  requestHandler: new NodeHttpHandler({ connectionTimeout: 500, requestTimeout: 1500, throwOnRequestTimeout: true }),
});

/** Where the service is and who calls it, for an operator's command; a function has both in its environment. */
export type AwsAccess = Pick<KinesisClientConfig, 'region' | 'endpoint' | 'credentials'>;

/**
 * Over HTTP/1.1, unlike the SDK's default for Kinesis: its one HTTP/2 session does not survive the freezing of a function
 * between invocations, and a dead session is only noticed by waiting. Sockets of an HTTP/1.1 agent fail at once.
 */
export const createKinesisClient = (access: AwsAccess = {}): KinesisClient =>
  new KinesisClient({ ...access, ...oneAttempt() });

export const createFirehoseClient = (): FirehoseClient => new FirehoseClient(oneAttempt());
