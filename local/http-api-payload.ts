import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { MatchedRoute } from './http-api-routes.ts';

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, format 2.0

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer;
}

/** Measured on AWS: only these come as text; all else, forms, `+json` and no type among it, comes in base64. */
const textTypes = /^\s*(text\/[^;]*|application\/(json|xml|javascript))\s*(;|$)/i;
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);

/** `path` is decoded, as on AWS; the query is as it was sent. */
export function eventOf(
  request: IncomingMessage,
  { path, rawQueryString, body }: { path: string; rawQueryString: string; body: Buffer },
  { route, pathParameters }: MatchedRoute,
  { timeEpoch, ...ids }: { accountId: string; apiId: string; requestId: string; timeEpoch: number },
): APIGatewayProxyEventV2 {
  const { cookie, ...headers } = headersOf(request, body);
  const { host = '', 'content-type': contentType = '', 'user-agent': userAgent = '' } = headers;
  const isText = textTypes.test(contentType);
  const sourceIp = request.socket.remoteAddress ?? '';
  const [, day, month, year, clock] = new Date(timeEpoch).toUTCString().split(' ');
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath: path,
    rawQueryString,
    ...(cookie && { cookies: cookie.split(/;\s*/) }),
    headers,
    ...(rawQueryString && { queryStringParameters: joined(new URLSearchParams(rawQueryString)) }),
    requestContext: {
      ...ids,
      domainName: host,
      domainPrefix: host.split('.')[0] ?? '',
      http: { method: request.method ?? '', path, protocol: `HTTP/${request.httpVersion}`, sourceIp, userAgent },
      routeKey: route.key,
      stage: '$default',
      time: `${day}/${month}/${year}:${clock} +0000`,
      timeEpoch,
    },
    ...(pathParameters && { pathParameters }),
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

function headersOf({ headersDistinct, socket }: IncomingMessage, body: Buffer): Record<string, string> {
  const all = Object.entries(headersDistinct).filter(([name]) => !hopByHop.has(name));
  const sent = Object.fromEntries(all.map(([name, values]) => [name, values?.join(',') ?? '']));
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return {
    'x-amzn-trace-id': `Root=1-${seconds}-${randomBytes(12).toString('hex')}`,
    ...sent,
    'content-length': String(body.length),
    'x-forwarded-for': [sent['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', '),
    'x-forwarded-port': String(socket.localPort),
    'x-forwarded-proto': 'http',
  };
}

/** Pairs of the same name become one, their values comma-separated. */
function joined(pairs: Iterable<[name: string, value: string]>): Record<string, string> {
  const all: Record<string, string> = Object.create(null);
  for (const [name, value] of pairs) all[name] = name in all ? `${all[name]},${value}` : value;
  return all;
}

/** The answer that a function's result stands for. Throws for one that API Gateway would not understand. */
export function replyOf(result: unknown): HttpReply {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const body = typeof result === 'string' ? result : JSON.stringify(result);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const { statusCode, headers, cookies, body = '', isBase64Encoded } = result as Record<string, unknown>;
  const status = Number(statusCode);
  const own = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  if (typeof body !== 'string' || !(status >= 200 && status <= 599)) {
    throw new Error('A response needs a statusCode of 200 to 599, and its body must be a string');
  }
  return {
    status,
    headers: {
      ...(body && { 'content-type': 'text/plain; charset=utf-8' }),
      ...Object.fromEntries(own.filter(([name]) => !hopByHop.has(name))),
      ...(Array.isArray(cookies) && { 'set-cookie': cookies.map(String) }),
    },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}
