import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../local/gate/authorize.ts';
import { createFaults } from '../../local/gate/faults.ts';
import { createJsonService } from '../../local/gate/json-protocol.ts';
import type { Gate } from '../../local/gate/listen.ts';
import { createMeter } from '../../local/gate/meter.ts';
import { createQueryService } from '../../local/gate/query-protocol.ts';
import { AwsError, type Caller } from '../../local/gate/service.ts';
import { serve } from './serve.ts';

const echo = createJsonService({
  name: 'echo',
  targetPrefix: 'Echo_1',
  maxBodyBytes: 1000,
  actions: {
    Say: { perform: (input, request) => ({ said: input.text, caller: request.caller }) },
    Refuse: {
      perform: () => {
        throw new AwsError('NotTodayException', 'Not today');
      },
    },
    Break: {
      perform: () => {
        throw new Error('a bug, with a secret in it');
      },
    },
  },
});
const streams = createJsonService({
  name: 'kinesis',
  targetPrefix: 'Kinesis_20131202',
  actions: { ListStreams: { perform: () => ({ StreamNames: [] }) } },
});
const query = createQueryService('query', { Ask: fields => `<Answer>${fields.get('Question')}</Answer>` });
const collector: Caller = {
  kind: 'function',
  accessKeyId: 'LOCALcollect',
  functionName: 'collect',
  roleArn: 'arn:role',
};
const meter = createMeter();
const faults = createFaults(() => 0.5);
const logged: string[] = [];

let gate: Gate;
beforeAll(async () => {
  gate = await serve([echo, query, streams], {
    callerOf: key => (key === collector.accessKeyId ? collector : undefined),
    authorizer: createAuthorizer(() => [{ Statement: { Effect: 'Allow', Action: 'echo:*', Resource: '*' } }]),
    faults,
    meter,
    log: line => logged.push(line),
  });
});
afterAll(() => gate.stop());

function signed(service: string, accessKeyId = 'somebody'): string {
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261121/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=x`;
}

async function call(action: string, input: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(gate.endpoint, {
    method: 'POST',
    headers: { authorization: signed('echo'), 'x-amz-target': `Echo_1.${action}`, ...headers },
    body: typeof input === 'string' ? input : JSON.stringify(input),
  });
  const body: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, body };
}

describe('the gate', () => {
  it('hands a request to the service of its credential scope, and says who asks', async () => {
    expect(await call('Say', { text: 'hi' })).toEqual({
      status: 200,
      body: { said: 'hi', caller: { kind: 'operator', accessKeyId: 'somebody' } },
    });
    const asFunction = await call('Say', {}, { authorization: signed('echo', collector.accessKeyId) });
    expect(asFunction.body.caller).toEqual(collector);
  });

  it('answers the Query protocol in XML', async () => {
    const response = await fetch(gate.endpoint, {
      method: 'POST',
      headers: { authorization: signed('query'), 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=Ask&Question=why',
    });
    expect(await response.text()).toContain('<AskResult><Answer>why</Answer></AskResult>');
  });

  it('speaks HTTP/2 without TLS on the same port, as stock Kinesis clients do', async () => {
    const session = http2.connect(gate.endpoint);
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/',
        authorization: signed('echo'),
        'x-amz-target': 'Echo_1.Say',
      });
      stream.end(JSON.stringify({ text: 'over h2' }));
      const [headers] = await once(stream, 'response');
      expect([headers[':status'], JSON.parse(await text(stream))]).toEqual([
        200,
        expect.objectContaining({ said: 'over h2' }),
      ]);
    } finally {
      session.close();
    }
  });

  it.each([
    ['an action nobody has', 'Dance', {}, 400, 'UnknownOperationException'],
    ['a body that is no JSON', 'Say', '{', 400, 'SerializationException'],
    ['a body over the limit', 'Say', { text: 'x'.repeat(2000) }, 413, 'RequestEntityTooLargeException'],
    ['a refusal of the service', 'Refuse', {}, 400, 'NotTodayException'],
  ])('answers %s in the protocol of the service', async (_, action, input, status, code) => {
    const { status: answered, body } = await call(action, input);
    expect([answered, body.__type, typeof body.message]).toEqual([status, code, 'string']);
  });

  it('tells a client nothing of a bug, and its log everything', async () => {
    const { status, body } = await call('Break', {});
    expect([status, body.__type]).toEqual([500, 'InternalFailure']);
    expect(body.message).not.toContain('secret');
    expect(logged.join('\n')).toContain('a bug, with a secret in it');
  });

  it('refuses a service it does not have, by name', async () => {
    const { status, body } = await call('Say', {}, { authorization: signed('sagemaker') });
    expect([status, body.message]).toEqual([400, 'The local cloud has no service sagemaker']);
  });

  it('keeps a connection usable after a request whose body nobody read', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const send = (service: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { authorization: signed(service), 'x-amz-target': 'Echo_1.Say' };
        const request = http.request(gate.endpoint, { method: 'POST', headers, agent }, response => {
          response.resume().once('end', () => resolve(response.statusCode));
        });
        request.once('error', reject).end(JSON.stringify({ text: 'y'.repeat(100_000) }));
      });
    try {
      expect([await send('nobody'), await send('echo')]).toEqual([400, 413]);
      expect((await call('Say', { text: 'still there' })).status).toBe(200);
    } finally {
      agent.destroy();
    }
  });

  it('counts each call by caller, service and action', async () => {
    meter.reset();
    await call('Say', {});
    await call('Refuse', {});
    await call('Say', {}, { authorization: signed('echo', collector.accessKeyId) });
    const counted = [...meter.totals()].map(([key, { calls, failed }]) => [key, calls, failed]);
    expect(counted).toEqual([
      ['operator echo:Say', 1, 0],
      ['operator echo:Refuse', 1, 1],
      ['collect echo:Say', 1, 0],
    ]);
  });
});

describe('a function at the gate', () => {
  const asCollector = { authorization: signed('echo', collector.accessKeyId) };
  const asStranger = { authorization: signed('query', collector.accessKeyId) };

  it('may do what its role allows', async () => {
    expect((await call('Say', { text: 'x' }, asCollector)).status).toBe(200);
  });

  it('is refused the rest, by action and resource', async () => {
    const response = await fetch(`${gate.endpoint}/?Action=Ask`, { method: 'POST', headers: asStranger });
    expect(response.status).toBe(403);
    expect(await response.text()).toMatch(
      /<Code>AccessDeniedException<\/Code>.*collect is not authorized to perform: query:Ask on resource: \*/,
    );
  });

  it('must sign', async () => {
    const { status, body } = await call(
      'Say',
      {},
      { authorization: '', 'x-amz-target': 'Kinesis_20131202.ListStreams' },
    );
    expect([status, body.__type]).toEqual([403, 'MissingAuthenticationTokenException']);
  });
});

describe('a fault', () => {
  const asCollector = { authorization: signed('echo', collector.accessKeyId) };
  afterEach(() => faults.clear());

  it('answers with its error, in the protocol of the service', async () => {
    faults.inject({ service: 'echo', effect: { kind: 'error', code: 'SlowDownException', status: 503 } });
    const { status, body } = await call('Say', {}, asCollector);
    expect([status, body.__type]).toEqual([503, 'SlowDownException']);
  });

  it('strikes as often as it was told, then is over', async () => {
    faults.inject({ times: 2, effect: { kind: 'error', code: 'SlowDownException', status: 503 } });
    const statuses = [];
    for (let sent = 0; sent < 3; sent++) statuses.push((await call('Say', {}, asCollector)).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('leaves other actions, services and the operator alone', async () => {
    const effect = { kind: 'error', code: 'SlowDownException', status: 503 } as const;
    faults.inject({ action: 'Refuse', effect });
    faults.inject({ service: 'query', effect });
    expect((await call('Say', {}, asCollector)).status).toBe(200);
    faults.inject({ effect });
    expect((await call('Say', {})).status).toBe(200);
  });

  it('strikes by chance, as the dice fall', async () => {
    faults.inject({ probability: 0.4, effect: { kind: 'error', code: 'SlowDownException', status: 503 } });
    expect((await call('Say', {}, asCollector)).status).toBe(200);
    faults.inject({ probability: 0.6, effect: { kind: 'error', code: 'SlowDownException', status: 503 } });
    expect((await call('Say', {}, asCollector)).status).toBe(503);
  });

  it('breaks the connection, before or after the call', async () => {
    const lift = faults.inject({ effect: { kind: 'reset', carriedOut: true } });
    await expect(call('Say', {}, asCollector)).rejects.toThrow('fetch failed');
    lift();
    expect((await call('Say', {}, asCollector)).status).toBe(200);
  });

  it('keeps a caller waiting', async () => {
    faults.inject({ effect: { kind: 'hang' } });
    const response = fetch(gate.endpoint, {
      method: 'POST',
      headers: { ...asCollector, 'x-amz-target': 'Echo_1.Say' },
      signal: AbortSignal.timeout(200),
    });
    await expect(response).rejects.toThrow(/timeout/);
  });
});
