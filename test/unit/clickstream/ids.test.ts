import { describe, expect, test } from 'vitest';
import { failed, send, storedEvent } from './request.ts';

const track = { type: 'track', event: 'E', userId: 'u' };
const snowplow = '/com.snowplowanalytics.snowplow/tp2';

describe('a number that JSON cannot carry exactly would be the id of several people, and is rejected', () => {
  // As text: written as a number of JavaScript's it would be another one already.
  test.each([
    ['/v1/batch', 'userId', '{"batch":[{"type":"track","event":"E","userId":12345678901234567890}]}'],
    ['/v1/batch', 'userId', '{"batch":[{"type":"track","event":"E","userId":1e400}]}'],
    ['/v1/batch', 'anonymousId', '{"batch":[{"type":"track","event":"E","anonymousId":-9007199254740993}]}'],
    ['/v1/batch', 'messageId', '{"batch":[{"type":"track","event":"E","userId":"u","messageId":9007199254740992}]}'],
    ['/batch', 'distinct_id', '{"batch":[{"event":"E","distinct_id":12345678901234567890}]}'],
    ['/batch', 'distinct_id', '{"batch":[{"event":"E","properties":{"distinct_id":1e400}}]}'],
    ['/batch', '$device_id', '{"batch":[{"event":"E","distinct_id":"u","properties":{"$device_id":1e17}}]}'],
    ['/collect', 'unique_id', '[{"event_type":"E","unique_id":12345678901234567890}]'],
    ['/collect', '_user_id', '[{"event_type":"E","user":{"_user_id":{"value":1e400}}}]'],
    [snowplow, 'uid', '{"data":[{"e":"pv","uid":12345678901234567890}]}'],
  ])('%s: %s of %s', (path, key, body) => {
    const outcome = send(body, { path, headers: { 'x-write-key': 'wk_test' } });
    expect(failed(outcome)).toMatchObject([{ code: 'invalid-id', reason: expect.stringContaining(`"${key}"`) }]);
  });
});

test.each([
  [42, '42'],
  [-1, '-1'],
  [1.5, '1.5'],
  [9007199254740991, '9007199254740991'],
  ['12345678901234567890', '12345678901234567890'],
])('the id %j is taken as it is', (userId, text) => {
  expect(storedEvent({ ...track, userId }).user_id).toBe(text);
});

test('a session whose number is not exact has no id', () => {
  expect(storedEvent({ ...track, context: { sessionId: 2 ** 60 } })).not.toHaveProperty('session_id');
});
