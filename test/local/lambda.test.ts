import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLambda, type TestLambda } from './lambda-package.ts';

let test: TestLambda;

beforeAll(async () => {
  test = await startLambda({ idleMs: 60_000 });
});

afterAll(() => test.stop());

/** Deploys a handler body of `(event, context)` and answers the function's name. */
async function handler(name: string, body: string, properties?: Record<string, unknown>): Promise<string> {
  await test.deploy(name, `exports.handler = async (event, context) => { ${body} };`, properties);
  return name;
}

describe('an invocation', () => {
  it('hands the event over and the result back', async () => {
    const name = await handler('echo', 'return { echoed: event };');
    const { payload, error, durationMs } = await test.lambda.invoke(name, { text: 'süß', list: [1, null] });
    expect(payload).toEqual({ echoed: { text: 'süß', list: [1, null] } });
    expect(error).toBeUndefined();
    expect(durationMs).toBeGreaterThan(0);
  });

  it('answers null where the handler returns nothing', async () => {
    expect((await test.lambda.invoke(await handler('silent', ''), {})).payload).toBeNull();
  });

  it('tells the handler who and where it is', async () => {
    const name = await handler(
      'self',
      'return { context, remaining: context.getRemainingTimeInMillis(), env: process.env };',
      { Environment: { Variables: { STREAM_NAME: 'clickstream', AWS_REGION: 'mars-1' } }, Timeout: 7 },
    );
    const { payload, requestId } = await test.lambda.invoke(name, {}, { clientContext: { custom: 1 } });
    const { context, remaining, env } = payload as { context: object; remaining: number; env: Record<string, string> };
    expect(context).toMatchObject({
      awsRequestId: requestId,
      functionName: 'self',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:self',
      logGroupName: '/aws/lambda/self',
      memoryLimitInMB: '128',
      clientContext: { custom: 1 },
    });
    expect(remaining).toBeGreaterThan(5000);
    expect(remaining).toBeLessThanOrEqual(7000);
    expect(env).toMatchObject({
      STREAM_NAME: 'clickstream',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_LAMBDA_FUNCTION_NAME: 'self',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      _HANDLER: 'src/handlers/main.handler',
    });
    expect(existsSync(join(String(env.LAMBDA_TASK_ROOT), 'src/handlers/main.cjs'))).toBe(true);
    expect(env).not.toHaveProperty('VITEST');
  });

  it('runs Node with the options of its own environment', async () => {
    const Environment = { Variables: { NODE_OPTIONS: '--enable-source-maps' } };
    const [plain, mapped] = [
      await handler('plain', 'return process.sourceMapsEnabled;'),
      await handler('mapped', 'return process.sourceMapsEnabled;', { Environment }),
    ];
    expect((await test.lambda.invoke(plain, {})).payload).toBe(false);
    expect((await test.lambda.invoke(mapped, {})).payload).toBe(true);
  });

  it('is known by the access key its function holds', async () => {
    const name = await handler('keys', 'return process.env;');
    const env = (await test.lambda.invoke(name, {})).payload as Record<string, string>;
    const accessKeyId = String(env.AWS_ACCESS_KEY_ID);
    expect(test.lambda.callerOf(accessKeyId)).toEqual({
      kind: 'function',
      accessKeyId,
      functionName: 'keys',
      roleArn: 'arn:aws:iam::000000000000:role/keys',
    });
    expect(test.lambda.secretOf(accessKeyId)).toBe(env.AWS_SECRET_ACCESS_KEY);
    expect(test.lambda.callerOf('AKIDOPERATOR')).toBeUndefined();
  });

  it('finds its function by name, by ARN and by an alias', async () => {
    await handler('named', 'return context.invokedFunctionArn;');
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:named';
    const answers = await Promise.all(
      ['named', arn, `${arn}:live`].map(async target => (await test.lambda.invoke(target, {})).payload),
    );
    expect(answers).toEqual([arn, arn, `${arn}:live`]);
    await expect(test.lambda.invoke('unheard-of', {})).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('returns its log lines, which by then are in the log file and on the terminal', async () => {
    const name = await handler(
      'chatty',
      `console.log('to %s', 'console'); process.stdout.write('{"level":"INFO"}\\n'); console.error('bad');`,
    );
    const { logs } = await test.lambda.invoke(name, {});
    expect(logs).toEqual(['to console', '{"level":"INFO"}', 'bad']);
    const file = join(test.context.stateDir, 'logs/chatty.log');
    expect(readFileSync(file, 'utf8')).toBe('to console\n{"level":"INFO"}\nbad\n');
    expect(test.lines).toContain('chatty  bad');
    expect((await test.lambda.invoke(name, {})).logs).toHaveLength(3);
  });

  it('refuses events over 6 MB, and answers over it', async () => {
    const name = await handler('big', `return 'x'.repeat(event.length);`);
    await expect(test.lambda.invoke(name, 'x'.repeat(6 * 1024 * 1024))).rejects.toMatchObject({ status: 413 });
    expect((await test.lambda.invoke(name, { length: 6_000_000 })).payload).toHaveLength(6_000_000);
    expect((await test.lambda.invoke(name, { length: 6_300_000 })).error?.errorType).toBe(
      'Function.ResponseSizeTooLarge',
    );
  });
});

describe("a function's own failure", () => {
  it.each([
    ['an error', `throw new RangeError('no table 9')`, 'RangeError', 'no table 9'],
    ['something that is no error', `throw 'text'`, 'string', 'text'],
    [
      'a result that is no JSON',
      'return { big: 1n }',
      'Runtime.JSONStringifyError',
      'Unable to stringify response body',
    ],
    [
      'a rejection nobody handles',
      `void Promise.reject(new Error('lost')); await new Promise(() => {})`,
      'Runtime.UnhandledPromiseRejection',
      'Error: lost',
    ],
    [
      'an exception nobody catches',
      `setTimeout(() => { throw new Error('late') }, 1); await new Promise(() => {})`,
      'Error',
      'late',
    ],
    [
      'an exit',
      'process.exit(3)',
      'Runtime.ExitError',
      expect.stringMatching(/^RequestId: \S+ Error: Runtime exited with error: exit status 3$/),
    ],
  ])('%s is told, and the next invocation works', async (what, statement, errorType, errorMessage) => {
    const name = `fails-with-${what.replaceAll(' ', '-')}`;
    await handler(name, `if (event.fail) { console.log('before'); ${statement}; } return 'fine';`);
    const failed = await test.lambda.invoke(name, { fail: true });
    expect(failed).toMatchObject({ payload: null, error: { errorType, errorMessage } });
    expect(failed.logs[0]).toBe('before');
    expect(await test.lambda.invoke(name, {})).toMatchObject({ payload: 'fine' });
  });

  it('is a time-out once its time is up, even in an endless loop', async () => {
    const name = await handler('stuck', `if (event.stuck) { console.log('round'); for (;;); } return 'fine';`, {
      Timeout: 1,
    });
    const { error, logs, requestId } = await test.lambda.invoke(name, { stuck: true });
    expect(error).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
    });
    expect(logs).toEqual(['round']);
    expect((await test.lambda.invoke(name, {})).payload).toBe('fine');
  });

  it('is an exit where it takes more memory than it has', async () => {
    const name = await handler('greedy', 'const all = []; for (;;) all.push(new Array(1e5).fill(0.5));');
    expect((await test.lambda.invoke(name, {})).error).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('signal: killed'),
    });
  });

  it.each([
    ['does not load', 'require("nowhere")', 'Error', /Cannot find module 'nowhere'/],
    ['has no handler', 'exports.other = () => {}', 'Runtime.HandlerNotFound', /handler is undefined or not exported/],
    [
      'takes a callback',
      'exports.handler = (a, b, c) => c()',
      'Runtime.CallbackHandlerDeprecated',
      /takes no callbacks/,
    ],
  ])('is told where its module %s', async (what, source, errorType, message) => {
    const name = `module-${what.replaceAll(' ', '-')}`;
    await test.deploy(name, source);
    const { error } = await test.lambda.invoke(name, {});
    expect(error?.errorType).toBe(errorType);
    expect(error?.errorMessage).toMatch(message);
  });
});

describe('instances', () => {
  it('keep their memory from one invocation to the next', async () => {
    await test.deploy('counter', 'let calls = 0; exports.handler = async () => ++calls;');
    const counts = [];
    for (let call = 0; call < 3; call++) counts.push((await test.lambda.invoke('counter', {})).payload);
    expect(counts).toEqual([1, 2, 3]);
  });

  it('are at most four, each with one event at a time; the others wait in order', async () => {
    await test.deploy(
      'slow',
      `const { threadId } = require('node:worker_threads'); let busy = 0;
       exports.handler = async event => {
         const alone = ++busy === 1; const startedAt = Date.now();
         await new Promise(resolve => setTimeout(resolve, 250)); // long enough for all four to have started
         busy--; return { threadId, alone, event, startedAt };
       };`,
    );
    const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => test.lambda.invoke('slow', index)));
    const results = answers.map(
      ({ payload }) => payload as { threadId: number; alone: boolean; event: number; startedAt: number },
    );
    expect(new Set(results.map(({ threadId }) => threadId)).size).toBe(4);
    expect(results.every(({ alone }) => alone)).toBe(true);
    const fourth = Math.max(...results.slice(0, 4).map(({ startedAt }) => startedAt));
    const last = Math.min(...results.slice(12).map(({ startedAt }) => startedAt));
    expect(last).toBeGreaterThan(fourth);
  });

  it('refuse what waited longer than its caller would', async () => {
    const name = await handler('blocked', 'await new Promise(resolve => setTimeout(resolve, event.ms ?? 0));');
    const running = Array.from({ length: 4 }, () => test.lambda.invoke(name, { ms: 400 }));
    await expect(test.lambda.invoke(name, {}, { maxWaitMs: 20 })).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      status: 429,
    });
    await Promise.all(running);
    expect((await test.lambda.invoke(name, {}, { maxWaitMs: 20 })).error).toBeUndefined();
  });

  it('go when they stand idle, and come back when they are needed', async () => {
    const own = await startLambda({ idleMs: 20 });
    await own.deploy(
      'rare',
      'const { threadId } = require("node:worker_threads"); exports.handler = async () => threadId;',
    );
    const first = (await own.lambda.invoke('rare', {})).payload;
    const another = async () => (await own.lambda.invoke('rare', {})).payload;
    await vi.waitUntil(async () => (await another()) !== first, { interval: 100, timeout: 10_000 });
    await own.stop();
  });
});

describe('an asynchronous invocation', () => {
  it('is tried three times, then dropped with a line that says so', async () => {
    const own = await startLambda({ retryDelaysMs: [1, 1] });
    await own.deploy(
      'weary',
      'let calls = 0; exports.handler = async () => { throw new Error(`attempt ${++calls}`); };',
    );
    await own.lambda.send('weary', {});
    expect(own.lines.filter(line => line.includes('dropped'))).toEqual([
      'weary did not take an event, which is dropped: attempt 3',
    ]);
    await own.stop();
  });

  it('ends with its first success', async () => {
    const own = await startLambda({ retryDelaysMs: [1, 1] });
    await own.deploy(
      'second-try',
      'let calls = 0; exports.handler = async () => { console.log(`attempt ${++calls}`); if (calls < 2) throw new Error("no"); };',
    );
    await own.lambda.send('second-try', {});
    expect(own.lines.filter(line => line.includes('attempt'))).toEqual([
      'second-try  attempt 1',
      'second-try  attempt 2',
    ]);
    await own.stop();
  });
});

describe('deployment', () => {
  it('says which package is missing', async () => {
    const properties = { Code: { S3Key: 'serverless/gone.zip' } };
    await expect(test.deploy('gone', '', properties).then(() => undefined)).resolves.toBeUndefined();
    await expect(test.deploy('lost', '', { Code: { S3Key: 'serverless/other.zip' } })).rejects.toThrow(/other\.zip/);
  });

  it('replaces the code of an earlier package', async () => {
    await test.deploy('renewed', `exports.handler = async () => 'old';`);
    expect((await test.lambda.invoke('renewed', {})).payload).toBe('old');
    await test.deploy('renewed', `exports.handler = async () => 'new';`);
    expect((await test.lambda.invoke('renewed', {})).payload).toBe('new');
    expect(readdirSync(join(test.context.stateDir, 'functions/renewed'))).toHaveLength(1);
  });
});
