import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

/** A request as the HTTP API hands it to a function (payload 2.0). */
export function httpEvent(changes: Partial<APIGatewayProxyEventV2> = {}): APIGatewayProxyEventV2 {
  const http = { method: 'POST', path: '/v1/nothing', protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: '' };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: http.path,
    rawQueryString: '',
    headers: {},
    isBase64Encoded: false,
    requestContext: {
      ...{ accountId: '000000000000', apiId: 'api', domainName: 'api.example', domainPrefix: 'api', http },
      ...{ requestId: 'request-1', routeKey: '$default', stage: '$default', time: '', timeEpoch: 0 },
    },
    ...changes,
  };
}

export const context = { getRemainingTimeInMillis: () => 10_000 } as Context;
