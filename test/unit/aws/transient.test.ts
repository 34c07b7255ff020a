import { expect, test } from 'vitest';
import { isTransient } from '../../../src/lib/aws/transient.ts';

const error = (fields: object) => Object.assign(new Error('x'), fields);

test.each([
  ['throttling', error({ name: 'ProvisionedThroughputExceededException', $metadata: { httpStatusCode: 400 } })],
  ['a failure of the service', error({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } })],
  ['too many requests', error({ $metadata: { httpStatusCode: 429 } })],
  ['a time-out', error({ name: 'TimeoutError', $metadata: { attempts: 1 } })],
  ['a reset connection', error({ code: 'ECONNRESET' })],
  ['a network out of reach', error({ code: 'ENETUNREACH' })],
  ['a broken TLS handshake', error({ code: 'EPROTO' })],
])('%s may pass', (_, cause) => {
  expect(isTransient(cause)).toBe(true);
});

test.each([
  ['a missing right', error({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } })],
  ['a missing stream', error({ name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 400 } })],
  ['missing credentials', error({ name: 'CredentialsProviderError' })],
  ['an error of our own', new TypeError('x is not a function')],
  ['what is no error', 'ECONNRESET'],
])('%s will not', (_, cause) => {
  expect(isTransient(cause)).toBe(false);
});
