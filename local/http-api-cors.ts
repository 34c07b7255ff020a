import type { IncomingMessage } from 'node:http';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigatewayv2-api-cors.html */
export interface CorsConfiguration {
  readonly AllowOrigins?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowHeaders?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly AllowCredentials?: boolean;
  readonly MaxAge?: number;
}

/** A preflight is the API's to answer: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers;
}

/** The CORS headers of an answer: none where the request names no origin, or one that is not allowed. */
export function corsHeaders(cors: CorsConfiguration, request: IncomingMessage): Record<string, string> {
  const { origin = '' } = request.headers;
  const allowed = cors.AllowOrigins?.find(
    pattern => origin === pattern || (pattern.endsWith('*') && origin.startsWith(pattern.slice(0, -1))),
  );
  if (!origin || !allowed) return {};
  const values = {
    'access-control-allow-origin': allowed === '*' ? '*' : origin,
    'access-control-allow-credentials': cors.AllowCredentials,
    'access-control-expose-headers': cors.ExposeHeaders,
    ...(isPreflight(request) && {
      'access-control-allow-methods': cors.AllowMethods,
      'access-control-allow-headers': cors.AllowHeaders,
      'access-control-max-age': cors.MaxAge,
    }),
  };
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== false);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
