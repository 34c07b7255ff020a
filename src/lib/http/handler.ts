import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { textBody } from './body.ts';
import { problems } from './problem.ts';

type Handle = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * A Lambda handler behind the HTTP API. `handle` gets the body as text of at most `maxBodyBytes` (or as it came, where no
 * limit is given) and may throw AppErrors: every error is answered as problem+json.
 */
export function httpHandler(handle: Handle, { maxBodyBytes }: { readonly maxBodyBytes?: number } = {}) {
  // Middy's early timeout costs a timer a request, and every wait of ours has a timeout of its own.
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Error, Context>({ timeoutEarlyInMillis: 0 })
    .use(problems())
    .use(maxBodyBytes === undefined ? [] : textBody(maxBodyBytes))
    .handler(handle);
}

/** 200 with a JSON body. */
export function ok(body: unknown): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
