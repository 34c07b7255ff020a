import { STATUS_CODES } from 'node:http';
import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { AppError } from '../runtime/errors.ts';
import { logger } from '../runtime/logger.ts';

/**
 * Middleware that answers every error as `application/problem+json` (RFC 9457). What is ours to mend is logged, once,
 * with the request id that the client sees too; an error that is no AppError becomes a 500 and keeps its secrets.
 */
export function problems(): MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> {
  return {
    onError: request => {
      // Invoked by hand, without the API, an event has no request context.
      const requestId = request.event.requestContext?.requestId ?? '';
      const error = request.error;
      if (!(error instanceof AppError)) logger.error('Unexpected error', { requestId, error });
      else if (error.status >= 500) logger.warn(error.message, { requestId, cause: error.cause });
      request.response = problemOf(error, requestId);
    },
  };
}

/** The answer to an error. */
function problemOf(error: unknown, requestId: string): APIGatewayProxyStructuredResultV2 {
  const known =
    error instanceof AppError
      ? error
      : new AppError(500, 'Something went wrong on our side: the request id tells us what.');
  const { status, message: detail, retryAfterSeconds } = known;
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  // Without a `type` the title is the status's own phrase (RFC 9457, 4.2.1).
  const body = JSON.stringify({ title: STATUS_CODES[status], status, detail, requestId });
  return { statusCode: status, headers, body };
}
