import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLambda, type TestLambda } from './lambda-package.ts';
import { serve } from './serve.ts';

let test: TestLambda;
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  test = await startLambda();
  await test.deploy(
    'greet',
    `exports.handler = async (event, context) => {
       console.log('greeting', event.name);
       if (!event.name) throw new TypeError('nobody to greet');
       return { text: 'hello ' + event.name, from: context.clientContext };
     };`,
    { Environment: { Variables: { STAGE: 'local' } } },
  );
  server = await serve(test.lambda.services ?? []);
});

afterAll(async () => {
  await server.stop();
  await test.stop();
});

const functions = '/2015-03-31/functions';

/** The local cloud finds the service by the scope that a request is signed for. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=local/20261105/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0';

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.endpoint}${functions}/${path}`, { ...init, headers: { authorization, ...init.headers } });
}

function invoke(name: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return call(`${name}/invocations`, { method: 'POST', body, headers });
}

describe('Invoke', () => {
  it('answers with the result', async () => {
    const response = await invoke('greet', '{"name":"Ada"}');
    expect(response.status).toBe(200);
    expect(response.headers.get('x-amz-executed-version')).toBe('$LATEST');
    expect(response.headers.get('x-amz-function-error')).toBeNull();
    expect(await response.json()).toEqual({ text: 'hello Ada' });
  });

  it('takes an ARN, a client context, and answers with the log where it is asked for', async () => {
    const name = encodeURIComponent('arn:aws:lambda:us-east-1:000000000000:function:greet');
    const clientContext = Buffer.from('{"custom":{"a":1}}').toString('base64');
    const response = await invoke(name, '{"name":"Ada"}', {
      'x-amz-client-context': clientContext,
      'x-amz-log-type': 'Tail',
    });
    expect(await response.json()).toMatchObject({ from: { custom: { a: 1 } } });
    expect(Buffer.from(String(response.headers.get('x-amz-log-result')), 'base64').toString()).toBe('greeting Ada');
  });

  it("marks a function's own error", async () => {
    const response = await invoke('greet', '');
    expect(response.status).toBe(200);
    expect(response.headers.get('x-amz-function-error')).toBe('Unhandled');
    expect(await response.json()).toMatchObject({ errorType: 'TypeError', errorMessage: 'nobody to greet' });
  });

  it('of type Event answers at once and runs later', async () => {
    const response = await invoke('greet', '{"name":"Later"}', { 'x-amz-invocation-type': 'Event' });
    expect([response.status, await response.text()]).toEqual([202, '']);
    await vi.waitUntil(() => test.lines.includes('greet  greeting Later'), { timeout: 5000 });
  });

  it.each([
    ['an unknown function', 'nobody', '{}', 404, 'ResourceNotFoundException'],
    ['a body that is no JSON', 'greet', '{', 400, 'InvalidRequestContentException'],
    ['a body over 6 MB', 'greet', `"${'x'.repeat(6 * 1024 * 1024)}"`, 413, 'RequestEntityTooLargeException'],
  ])('refuses %s', async (_, name, body, status, code) => {
    const response = await invoke(name, body);
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([status, code]);
    expect(await response.json()).toMatchObject({ Message: expect.any(String) });
  });
});

describe('reading functions', () => {
  const configuration = { FunctionName: 'greet', Handler: 'src/handlers/main.handler', State: 'Active', Timeout: 10 };

  it.each([
    ['ListFunctions', '', { Functions: [configuration] }],
    ['GetFunction', 'greet', { Configuration: configuration }],
    ['GetFunctionConfiguration', 'greet/configuration', configuration],
  ])('%s tells how they are configured', async (_, path, expected) => {
    expect(await (await call(path)).json()).toMatchObject(expected);
  });

  it('refuses what the local Lambda does not have', async () => {
    const response = await call('greet/policy');
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([404, 'UnknownOperationException']);
  });
});

describe('what a caller must be allowed', () => {
  it('is the action on the function', async () => {
    const service = test.lambda.services?.[0];
    const request = { id: '1', caller: { kind: 'anonymous' }, headers: {}, body: new Response('{}').body } as never;
    const grants = async (method: string, target: string) =>
      (await service?.receive(Object.assign({}, request, { method, target })))?.grants;
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:greet';
    expect(await grants('POST', `${functions}/greet/invocations`)).toEqual([
      { action: 'lambda:InvokeFunction', resource: arn },
    ]);
    expect(await grants('GET', `${functions}/greet`)).toEqual([{ action: 'lambda:GetFunction', resource: arn }]);
    expect(await grants('GET', `${functions}/`)).toEqual([{ action: 'lambda:ListFunctions', resource: '*' }]);
  });
});
