// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_Errors and
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html#API_PutRecordBatch_Errors
const throttles = new Set([
  'KMSThrottlingException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
]);
// The handler's own, and that of a whole attempt (lib/aws/clients.ts).
const timeouts = new Set(['AbortError', 'TimeoutError']);
const networkFailures = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
]);

/** Whether trying again may help: throttling, a failure of the service's own, or of the way to it. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code, $metadata } = error as Error & { code?: string; $metadata?: { httpStatusCode?: number } };
  if (throttles.has(name) || timeouts.has(name)) return true;
  const status = $metadata?.httpStatusCode;
  return status === undefined ? networkFailures.has(code ?? '') : status >= 500 || status === 429;
}
