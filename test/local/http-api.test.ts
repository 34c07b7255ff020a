import { once } from 'node:events';
import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpApi, type HttpApi } from '../../local/http-api.ts';
import { startLambda, type TestLambda } from './lambda-package.ts';

let test: TestLambda;
let now = Date.UTC(2026, 10, 5, 9, 8, 7);

beforeAll(async () => {
  test = await startLambda();
  await test.deploy('echo', 'exports.handler = async event => event;');
  await test.deploy('answer', 'exports.handler = async event => JSON.parse(event.body);');
  await test.deploy('failing', 'exports.handler = async () => { throw new Error("secret reason"); };');
  await test.deploy('slow', 'exports.handler = () => new Promise(resolve => setTimeout(resolve, 300, "done"));');
});

afterAll(() => test.stop());

interface ApiOptions {
  readonly cors?: Record<string, unknown>;
  readonly stage?: Record<string, unknown>;
  readonly timeoutMs?: number;
}

/** Deploys an HTTP API with routes to functions, as Serverless writes them. */
async function startApi(routes: Record<string, string>, options: ApiOptions = {}): Promise<HttpApi> {
  const context = { ...test.context, now: () => now };
  const api = createHttpApi(context, { lambda: test.lambda, port: 0 });
  const create = async (type: string, logicalId: string, properties: Record<string, unknown>) =>
    api.providers[`AWS::ApiGatewayV2::${type}`]?.({ logicalId, type, properties });
  await create('Api', 'HttpApi', { ProtocolType: 'HTTP', CorsConfiguration: options.cors });
  await create('Stage', 'HttpApiStage', { StageName: '$default', AutoDeploy: true, ...options.stage });
  for (const [key, name] of Object.entries(routes)) {
    await create('Integration', `${name}Integration`, {
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      PayloadFormatVersion: '2.0',
      TimeoutInMillis: options.timeoutMs ?? 30_000,
    });
    await create('Route', `Route${key}`, { RouteKey: key, Target: `integrations/${name}Integration` });
  }
  return api;
}

/** The event that a request becomes. */
async function eventFor(api: HttpApi, path: string, init: RequestInit = {}): Promise<APIGatewayProxyEventV2> {
  const response = await fetch(api.url() + path, init);
  expect(response.status).toBe(200);
  return (await response.json()) as APIGatewayProxyEventV2;
}

/** What a client gets where the function's result is `result`. */
function answerTo(api: HttpApi, result: unknown, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify(result);
  return fetch(`${api.url()}/answer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    ...init,
  });
}

/** A request as it stands, past what fetch would add or forbid. */
async function send(api: HttpApi, options: RequestOptions, body?: string | Buffer) {
  const sent = httpRequest(api.url(), options);
  sent.end(body);
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the event of a request', () => {
  let api: HttpApi;

  beforeAll(async () => {
    api = await startApi({ 'POST /v1/batch': 'echo', 'GET /v1/orders/{id}': 'echo', $default: 'echo' });
  });
  afterAll(() => api.stop?.());

  it('is payload format 2.0 in full', async () => {
    const port = new URL(api.url()).port;
    const headers = { 'content-type': 'application/json', 'user-agent': 'tracker/1', 'x-amzn-trace-id': 'Root=1-a-b' };
    const { body, headers: answered } = await send(
      api,
      { method: 'POST', path: '/v1/batch?a=1&b=%20x&a=2', headers },
      '{"a":1}',
    );
    expect(JSON.parse(body)).toEqual({
      version: '2.0',
      routeKey: 'POST /v1/batch',
      rawPath: '/v1/batch',
      rawQueryString: 'a=1&b=%20x&a=2',
      headers: {
        host: `127.0.0.1:${port}`,
        'content-length': '7',
        'content-type': 'application/json',
        'user-agent': 'tracker/1',
        'x-amzn-trace-id': 'Root=1-a-b',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': port,
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { a: '1,2', b: ' x' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'local',
        domainName: `127.0.0.1:${port}`,
        domainPrefix: '127',
        http: {
          method: 'POST',
          path: '/v1/batch',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'tracker/1',
        },
        requestId: answered['apigw-requestid'],
        routeKey: 'POST /v1/batch',
        stage: '$default',
        time: '05/Nov/2026:09:08:07 +0000',
        timeEpoch: now,
      },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
  });

  it('leaves out what the request does not have', async () => {
    const event = await eventFor(api, '/plain');
    const absent = ['cookies', 'queryStringParameters', 'pathParameters', 'body'];
    expect(Object.keys(event).filter(key => absent.includes(key))).toEqual([]);
    expect(event).toMatchObject({ routeKey: '$default', rawQueryString: '', isBase64Encoded: false });
    expect(event.headers['x-amzn-trace-id']).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
  });

  it('decodes the path and its parameters, but not the query string', async () => {
    const event = await eventFor(api, '/v1/orders/caf%C3%A9%20au%20lait?q=%3F');
    expect(event.pathParameters).toEqual({ id: 'café au lait' });
    expect(event).toMatchObject({ rawPath: '/v1/orders/café au lait', rawQueryString: 'q=%3F' });
    expect(event.requestContext.http.path).toBe('/v1/orders/café au lait');
  });

  it('joins repeated headers, takes cookies apart and appends the sender to x-forwarded-for', async () => {
    const headers = { 'X-Tag': ['a', 'b'], Cookie: 'one=1; two=2', 'X-Forwarded-For': '10.0.0.1' };
    const event = JSON.parse((await send(api, { path: '/x', headers })).body);
    expect(event.headers).toMatchObject({ 'x-tag': 'a,b', 'x-forwarded-for': '10.0.0.1, 127.0.0.1' });
    expect(event.cookies).toEqual(['one=1', 'two=2']);
    expect(event.headers).not.toHaveProperty('cookie');
  });

  it('keeps query parameters with the names of object members', async () => {
    const event = await eventFor(api, '/x?constructor=1&toString=2&toString=3');
    expect(event.queryStringParameters).toEqual({ constructor: '1', toString: '2,3' });
  });

  it.each([
    ['application/json', '{"a":"é"}', false],
    ['application/json; charset=utf-8', '{}', false],
    ['APPLICATION/XML', '<a/>', false],
    ['application/javascript', '1', false],
    ['text/plain;charset=UTF-8', 'beacon', false],
    ['application/problem+json', '{}', true],
    ['application/x-www-form-urlencoded', 'a=1', true],
    ['application/octet-stream', 'bytes', true],
    ['application/jsonp', 'x', true],
  ])('carries a body of type %s as API Gateway would', async (type, content, isBase64Encoded) => {
    const event = await eventFor(api, '/v1/batch', {
      method: 'POST',
      headers: { 'content-type': type },
      body: content,
    });
    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    expect(Buffer.from(event.body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString()).toBe(content);
  });

  it('carries a body without a type in base64', async () => {
    const { body } = await send(api, { method: 'POST', path: '/v1/batch' }, Buffer.from([0xff, 0x00]));
    expect(JSON.parse(body)).toMatchObject({ body: '/wA=', isBase64Encoded: true });
  });

  it('spoils gzip under the label of JSON exactly as API Gateway does', async () => {
    const headers = { 'content-type': 'application/json' };
    const event = await eventFor(api, '/v1/batch', { method: 'POST', headers, body: gzipSync('{}') });
    expect(event.isBase64Encoded).toBe(false);
    expect(event.body?.slice(0, 2)).toBe('\u001f\ufffd');
  });

  it('takes chunked bodies and tells their length', async () => {
    const headers = { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' };
    const event = JSON.parse((await send(api, { method: 'POST', path: '/v1/batch', headers }, 'chunked')).body);
    expect(event.body).toBe('chunked');
    expect(event.headers).toMatchObject({ 'content-length': '7' });
    expect(event.headers).not.toHaveProperty('transfer-encoding');
  });
});

describe('a route', () => {
  let api: HttpApi;

  beforeAll(async () => {
    const keys = ['GET /pets/dog/1', 'GET /pets/dog/{id}', 'ANY /pets/dog/{id}', 'GET /pets/{proxy+}', 'ANY /{proxy+}'];
    api = await startApi(Object.fromEntries([...keys, 'POST /files/a.b/{name}/copy'].map(key => [key, 'echo'])));
  });
  afterAll(() => api.stop?.());

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
  it.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['PUT', '/pets/dog/2', 'ANY /pets/dog/{id}', { id: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['GET', '/pets/', 'GET /pets/{proxy+}', { proxy: '' }],
    ['POST', '/pets/cat/1', 'ANY /{proxy+}', { proxy: 'pets/cat/1' }],
    ['OPTIONS', '/test/5', 'ANY /{proxy+}', { proxy: 'test/5' }],
    ['POST', '/files/a.b/x%2By/copy', 'POST /files/a.b/{name}/copy', { name: 'x+y' }],
    ['POST', '/files/aXb/x/copy', 'ANY /{proxy+}', { proxy: 'files/aXb/x/copy' }],
  ])('for %s %s is %s', async (method, path, routeKey, pathParameters) => {
    const event = await eventFor(api, path, { method });
    expect(event).toMatchObject({ routeKey });
    expect(event.pathParameters).toEqual(pathParameters);
  });

  it('that nobody has is 404 in AWS’s words', async () => {
    const bare = await startApi({ 'POST /v1/batch': 'echo' });
    for (const path of ['/', '/v1/batch', '/v1/batch/']) {
      const response = await fetch(bare.url() + path);
      expect([response.status, await response.text()]).toEqual([404, '{"message":"Not Found"}']);
    }
    await bare.stop?.();
  });

  it('takes HEAD and answers it without a body', async () => {
    const response = await fetch(`${api.url()}/anything`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await response.text()).toBe('');
  });

  it('with a path that cannot be decoded is 400', async () => {
    expect(await send(api, { path: '/%zz' })).toMatchObject({ status: 400, body: '{"message":"Bad Request"}' });
  });
});

describe('the answer to a client', () => {
  let api: HttpApi;

  beforeAll(async () => {
    api = await startApi({ 'POST /answer': 'answer', 'GET /failing': 'failing', 'GET /slow': 'slow' });
  });
  afterAll(() => api.stop?.());

  it('carries status, headers, cookies and body of the function', async () => {
    const response = await answerTo(api, {
      statusCode: 202,
      headers: { 'Content-Type': 'application/json', Location: '/v1/orders/1', 'X-Count': 3 },
      cookies: ['a=1; Secure', 'b=2'],
      body: '{"ü":1}',
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/v1/orders/1');
    expect(response.headers.get('x-count')).toBe('3');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Secure', 'b=2']);
    expect(response.headers.get('apigw-requestid')).toMatch(/^.{15}=$/);
    expect(await response.json()).toEqual({ ü: 1 });
  });

  it.each([
    [{ ok: true }, '{"ok":true}'],
    ['plain', 'plain'],
    [[1, 2], '[1,2]'],
    [null, 'null'],
  ])('is 200 and JSON where the result %j has no status', async (result, body) => {
    const response = await answerTo(api, result);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.text()).toBe(body);
  });

  it('decodes base64, and is text where no type is given', async () => {
    const bytes = await answerTo(api, { statusCode: 200, body: '/wA=', isBase64Encoded: true });
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(Buffer.from([0xff, 0x00]));
    expect((await answerTo(api, { statusCode: 200, body: 'x' })).headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await (await answerTo(api, { statusCode: 204 })).text()).toBe('');
  });

  it.each([
    { statusCode: 'teapot' },
    { statusCode: 99 },
    { statusCode: 200, body: { not: 'text' } },
    { statusCode: 200, headers: { 'bad name': 'x' } },
    { statusCode: 200, headers: { 'x-split': 'a\r\nb: c' } },
  ])('is 500 for the result %j', async result => {
    const response = await answerTo(api, result);
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(test.lines.at(-1)).toMatch(/^POST \/answer: /);
  });

  it('is 500 without a reason where the function fails', async () => {
    const response = await fetch(`${api.url()}/failing`);
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(test.lines.some(line => line.includes('secret reason'))).toBe(true);
  });

  it('is 503 where the function takes longer than its integration', async () => {
    const hasty = await startApi({ 'GET /slow': 'slow' }, { timeoutMs: 100 });
    const response = await fetch(`${hasty.url()}/slow`);
    expect([response.status, await response.text()]).toEqual([503, '{"message":"Service Unavailable"}']);
    await hasty.stop?.();
  });

  it('is 413 for more than 10 MB, or more than a function takes, with the connection kept', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const bytes of [10 * 1024 * 1024 + 1, 7 * 1024 * 1024]) {
      const headers = { 'transfer-encoding': 'chunked' };
      const large = await send(api, { method: 'POST', path: '/answer', agent, headers }, Buffer.alloc(bytes));
      expect(large).toMatchObject({ status: 413, body: '{"message":"Request Entity Too Large"}' });
    }
    expect(await send(api, { path: '/nowhere', agent })).toMatchObject({ status: 404 });
    agent.destroy();
  });

  it('is 431 for more than 10,240 bytes of headers', async () => {
    const headers = { 'x-long': 'x'.repeat(10_240) };
    const message = '{"message":"Request Header Fields Too Large"}';
    expect(await send(api, { path: '/slow', headers })).toMatchObject({ status: 431, body: message });
  });

  it('is nothing to a client that goes away, and the next is served', async () => {
    const socket = connect(Number(new URL(api.url()).port), '127.0.0.1');
    socket.write('POST /answer HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
    await once(socket, 'ready');
    socket.destroy();
    expect((await answerTo(api, { statusCode: 204 })).status).toBe(204);
    expect(test.lines.filter(line => line.includes('aborted'))).toEqual([]);
  });

  it('is 400 for what is not HTTP', async () => {
    const socket = connect(Number(new URL(api.url()).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*\{"message":"Bad Request"\}$/s);
  });
});

describe('throttling', () => {
  it('refuses what exceeds a route’s burst until its rate has refilled it', async () => {
    const stage = {
      DefaultRouteSettings: { ThrottlingBurstLimit: 2, ThrottlingRateLimit: 1 },
      RouteSettings: { 'GET /free': { ThrottlingBurstLimit: 100, ThrottlingRateLimit: 100 } },
    };
    const api = await startApi({ 'GET /tight': 'echo', 'GET /free': 'echo' }, { stage });
    const statuses = async (path: string, count: number) => {
      const all: number[] = [];
      while (all.length < count) all.push((await fetch(api.url() + path)).status);
      return all;
    };
    expect(await statuses('/tight', 3)).toEqual([200, 200, 429]);
    expect(await statuses('/free', 3)).toEqual([200, 200, 200]);
    expect(await (await fetch(`${api.url()}/tight`)).text()).toBe('{"message":"Too Many Requests"}');
    now += 1000;
    expect(await statuses('/tight', 2)).toEqual([200, 429]);
    await api.stop?.();
  });
});

describe('CORS', () => {
  const cors = {
    AllowOrigins: ['http://127.0.0.1:3000', 'https://*'],
    AllowMethods: ['GET', 'POST'],
    AllowHeaders: ['content-type', 'x-write-key'],
    ExposeHeaders: ['retry-after'],
    AllowCredentials: true,
    MaxAge: 86_400,
  };
  let api: HttpApi;

  beforeAll(async () => {
    api = await startApi({ 'POST /answer': 'answer', 'GET /failing': 'failing', 'OPTIONS /own': 'echo' }, { cors });
  });
  afterAll(() => api.stop?.());

  const preflight = (from: HttpApi, origin: string) =>
    fetch(`${from.url()}/answer`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

  const granted = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

  it('answers a preflight itself', async () => {
    const response = await preflight(api, 'http://127.0.0.1:3000');
    expect(response.status).toBe(204);
    expect(granted(response)).toEqual({
      'access-control-allow-origin': 'http://127.0.0.1:3000',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'content-type,x-write-key',
      'access-control-expose-headers': 'retry-after',
      'access-control-max-age': '86400',
    });
  });

  it('grants nothing to other origins', async () => {
    const response = await preflight(api, 'http://evil.example');
    expect([response.status, granted(response)]).toEqual([204, {}]);
  });

  it('takes a scheme, or everybody, where the origins say so', async () => {
    const open = await startApi({ 'POST /answer': 'answer' }, { cors: { AllowOrigins: ['*'] } });
    expect(granted(await preflight(api, 'https://any.example'))).toMatchObject({
      'access-control-allow-origin': 'https://any.example',
    });
    expect(granted(await preflight(open, 'http://any.example'))).toEqual({ 'access-control-allow-origin': '*' });
    await open.stop?.();
  });

  it('puts its own headers in place of the function’s', async () => {
    const result = { statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*', 'X-Own': '1' } };
    const headers = { 'content-type': 'application/json', origin: 'http://127.0.0.1:3000' };
    const response = await answerTo(api, result, { headers });
    expect(response.headers.get('x-own')).toBe('1');
    expect(granted(response)).toEqual({
      'access-control-allow-origin': 'http://127.0.0.1:3000',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'retry-after',
    });
    expect(granted(await answerTo(api, result))).toEqual({});
  });

  it('lets a browser read the gateway’s own errors', async () => {
    const response = await fetch(`${api.url()}/failing`, { headers: { origin: 'http://127.0.0.1:3000' } });
    expect(response.status).toBe(500);
    expect(granted(response)).toHaveProperty('access-control-allow-origin');
  });

  it('leaves OPTIONS that is no preflight to the routes', async () => {
    const response = await fetch(`${api.url()}/own`, { method: 'OPTIONS' });
    expect(await response.json()).toMatchObject({ routeKey: 'OPTIONS /own' });
  });

  it('without a configuration leaves headers and preflights to the functions', async () => {
    const bare = await startApi({ 'POST /answer': 'answer' });
    expect((await preflight(bare, 'http://127.0.0.1:3000')).status).toBe(404);
    const response = await answerTo(bare, { statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*' } });
    expect(granted(response)).toEqual({ 'access-control-allow-origin': '*' });
    await bare.stop?.();
  });
});

describe('stopping', () => {
  it('lets a request under way finish and closes idle connections', async () => {
    const api = await startApi({ 'GET /slow': 'slow', 'GET /quick': 'echo' });
    const agent = new Agent({ keepAlive: true });
    await send(api, { path: '/quick', agent });
    const underWay = send(api, { path: '/slow', agent: new Agent({ keepAlive: true }) });
    await new Promise(resolve => httpRequest(api.url(), { path: '/quick' }, resolve).end());
    const url = api.url();
    const stopped = api.stop?.();
    expect(await underWay).toMatchObject({ status: 200, body: 'done', headers: { connection: 'close' } });
    await stopped;
    await expect(fetch(url)).rejects.toThrow();
    agent.destroy();
  });
});

describe('deployment', () => {
  it.each([
    ['Authorizer', { AuthorizerType: 'REQUEST' }, /there is no REQUEST authorizer here/],
    ['Stage', { StageName: 'dev' }, /the stage here is \$default, not dev/],
    ['Integration', { IntegrationUri: 'arn', TimeoutInMillis: 60_000 }, /at most 30000 ms/],
    ['Route', { RouteKey: 'GET /', Target: 'integrations/Gone' }, /there is no integrations\/Gone/],
  ])('refuses an %s it cannot serve, by name', (type, properties, reason) => {
    const api = createHttpApi(test.context, { lambda: test.lambda, port: 0 });
    const deploy = () => api.providers[`AWS::ApiGatewayV2::${type}`]?.({ logicalId: 'TheResource', type, properties });
    expect(deploy).toThrow(reason);
    expect(deploy).toThrow(/TheResource/);
  });

  it('says that a port is taken', async () => {
    const first = await startApi({});
    const second = createHttpApi(test.context, { lambda: test.lambda, port: Number(new URL(first.url()).port) });
    const deploy = second.providers['AWS::ApiGatewayV2::Api']?.({ logicalId: 'HttpApi', type: '', properties: {} });
    await expect(deploy).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.stop?.();
  });
});
