import { FirehoseClient } from '@aws-sdk/client-firehose';
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

const attemptMs = 2000;

/** The SDK makes only one attempt: putAll decides about the next, knowing which records are left and how much time. */
const oneAttempt = () => ({
  maxAttempts: 1,
  requestHandler: new NodeHttpHandler({ connectionTimeout: 500, requestTimeout: 1500, throwOnRequestTimeout: true }),
});

/** Where the service is and who calls it, for an operator's command; a function has both in its environment. */
export type AwsAccess = Pick<KinesisClientConfig, 'region' | 'endpoint' | 'credentials'>;

/**
 * Over HTTP/1.1, unlike the SDK's default for Kinesis: its one HTTP/2 session does not survive the freezing of a function
 * between invocations, and every call after waits on the dead session. A dead HTTP/1.1 socket fails only the one call that
 * was given it: at once where the other end has closed it, after the request's timeout where nothing comes back.
 */
export const createKinesisClient = (access: AwsAccess = {}): KinesisClient =>
  new KinesisClient({ ...access, ...oneAttempt() });

/**
 * Ends an attempt after 2 s at the latest. The handler's own timeouts stop at the headers of an answer: without this, a
 * body that never ends would be waited for until the function's timeout.
 */
export const oneAttemptLong = (): { abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(attemptMs) });

export const createFirehoseClient = (): FirehoseClient => new FirehoseClient(oneAttempt());
