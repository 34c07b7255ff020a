import { describe, expect, test, vi } from 'vitest';
import { handler as notFound } from '../../../src/handlers/platform/not-found.ts';
import { httpHandler, ok } from '../../../src/lib/http/handler.ts';
import { AppError } from '../../../src/lib/runtime/errors.ts';
import { logger } from '../../../src/lib/runtime/logger.ts';
import { context, httpEvent } from './event.ts';

test('a handler gets its body decoded, and answers', async () => {
  const handler = httpHandler(async ({ body, isBase64Encoded }) => ok({ body, isBase64Encoded }), {
    body: { maxBytes: 10 },
  });
  const event = httpEvent({ body: Buffer.from('héllo').toString('base64'), isBase64Encoded: true });
  expect(await handler(event, context)).toEqual({
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"body":"héllo","isBase64Encoded":false}',
  });
});

describe('an error is answered as problem+json', () => {
  const answerTo = (error: unknown) =>
    httpHandler(async () => {
      throw error;
    })(httpEvent(), context);

  test('ours with its status, its sentence and when to come again', async () => {
    const answer = await answerTo(new AppError(422, 'No such dish.', { retryAfterSeconds: 5 }));
    expect(answer).toMatchObject({
      statusCode: 422,
      headers: { 'content-type': 'application/problem+json', 'retry-after': '5' },
    });
    const problem = { title: 'Unprocessable Entity', status: 422, detail: 'No such dish.', requestId: 'request-1' };
    expect(JSON.parse(answer.body ?? '')).toEqual(problem);
  });

  test('one too large for the body limit as well', async () => {
    const handler = httpHandler(async () => ok({}), { body: { maxBytes: 1 } });
    expect(await handler(httpEvent({ body: 'ab' }), context)).toMatchObject({ statusCode: 413 });
  });

  test('an unknown one as 500 that keeps its secrets, logged once with the request id', async () => {
    const logged = vi.spyOn(logger, 'error').mockImplementation(() => {});
    const answer = await answerTo(new Error('password=hunter2'));
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('hunter2');
    expect(logged.mock.calls).toEqual([['Unexpected error', expect.objectContaining({ requestId: 'request-1' })]]);
  });

  test('one of a sender is not logged', async () => {
    const logged = [vi.spyOn(logger, 'error'), vi.spyOn(logger, 'warn')].map(spy => spy.mockClear());
    await answerTo(new AppError(400, 'The body is not valid JSON.'));
    expect(logged.flatMap(spy => spy.mock.calls)).toEqual([]);
  });
});

test('a route that nobody answers is 404, whatever its body', async () => {
  const answer = await notFound(httpEvent({ body: '\u001f\ufffd' }), context);
  expect(JSON.parse(answer.body ?? '')).toMatchObject({
    status: 404,
    detail: 'Nothing answers POST /v1/nothing: check the method and the path.',
  });
});
