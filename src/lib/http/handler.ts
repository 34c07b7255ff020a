import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { type BodyRule, textBody } from './body.ts';
import { problems } from './problem.ts';

type Handle = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * A Lambda handler behind the HTTP API. `handle` gets the body as text by the rule for it (or as it came, where none is
 * given) and may throw AppErrors: every error is answered as problem+json.
 */
export function httpHandler(handle: Handle, { body }: { readonly body?: BodyRule } = {}) {
  // Middy's early timeout costs a timer a request, and every wait of ours has a timeout of its own.
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Error, Context>({ timeoutEarlyInMillis: 0 })
    .use(problems())
    .use(body === undefined ? [] : textBody(body))
    .handler(handle);
}

/** 200 with a JSON body. */
export function ok(body: unknown): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
