import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKinesisEventSource, type KinesisEventSource } from '../../local/event-sources/kinesis.ts';
import type { InvokeResult } from '../../local/lambda.ts';
import { createKinesis, type Kinesis } from '../../local/services/kinesis/kinesis.ts';
import { openState, type State } from '../../local/state.ts';
import { callKinesis, putKeyed } from './kinesis-call.ts';

interface KinesisEvent {
  readonly Records: readonly {
    readonly kinesis: { readonly data: string; readonly sequenceNumber: string };
    readonly eventID: string;
  }[];
  readonly window?: { readonly start: string; readonly end: string };
  readonly state?: Record<string, number>;
  readonly isFinalInvokeForWindow?: boolean;
  readonly isWindowTerminatedEarly?: boolean;
}

/** What the function answers; an Error is its failure. */
type Handler = (event: KinesisEvent) => unknown;

const streamArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';
const queueArn = 'arn:aws:sqs:us-east-1:000000000000:clicks-failures';

let stateDir: string;
let kinesis: Kinesis;
let state: State;
let source: KinesisEventSource;
let clock: ReturnType<typeof createClock>;
let handler: Handler;
let events: KinesisEvent[];
let refuse: number;
let sent: { arn: string; body: Record<string, unknown> }[];
let log: string[];

/** Time that passes only when a test says so, for the stream's arrival times as well. */
function createClock() {
  let now = Date.parse('2026-11-20T10:00:10Z');
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  let timers: { dueAt: number; callback: () => void }[] = [];
  return {
    waiting: () => timers.map(timer => timer.dueAt - Date.now()),
    timer(delayMs: number, callback: () => void) {
      const timer = { dueAt: Date.now() + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter(other => other !== timer);
      };
    },
    advance(ms: number) {
      now += ms;
      const due = timers.filter(timer => timer.dueAt <= Date.now());
      timers = timers.filter(timer => timer.dueAt > Date.now());
      for (const timer of due) timer.callback();
    },
  };
}

async function invoke(_functionName: string, event: unknown): Promise<InvokeResult> {
  if (refuse > 0) {
    refuse -= 1;
    throw new Error('no instance came free');
  }
  events.push(event as KinesisEvent);
  const answer = await handler(event as KinesisEvent);
  const result = { requestId: `request-${events.length}`, logs: [], durationMs: 1 };
  if (!(answer instanceof Error)) return { ...result, payload: JSON.parse(JSON.stringify(answer ?? null)) };
  return { ...result, payload: null, error: { errorType: answer.name, errorMessage: answer.message } };
}

function open(): void {
  const context = {
    region: 'us-east-1',
    accountId: '000000000000',
    stateDir,
    now: Date.now,
    log: (line: string) => void log.push(line),
  };
  const sendToDestination = async (arn: string, body: string) => void sent.push({ arn, body: JSON.parse(body) });
  const roleArnOf = () => 'arn:aws:iam::000000000000:role/count';
  source = createKinesisEventSource(
    context,
    { kinesis, lambda: { invoke }, state, sendToDestination, roleArnOf },
    clock.timer,
  );
}

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'kinesis-events-'));
  clock = createClock();
  events = [];
  sent = [];
  log = [];
  refuse = 0;
  handler = () => null;
  kinesis = await createKinesis({
    region: 'us-east-1',
    accountId: '000000000000',
    stateDir,
    now: Date.now,
    log: () => {},
  });
  state = openState(stateDir);
  await kinesis.ensureStream('clicks');
  open();
});

afterEach(async () => {
  await source.stop?.();
  await kinesis.stop?.();
  state.close();
  rmSync(stateDir, { recursive: true });
  vi.restoreAllMocks();
});

async function deploy(properties: Record<string, unknown> = {}) {
  const type = 'AWS::Lambda::EventSourceMapping';
  const mapping = { EventSourceArn: streamArn, FunctionName: 'count', StartingPosition: 'TRIM_HORIZON', ...properties };
  return source.providers[type]?.({ logicalId: 'CountClicks', type, properties: mapping });
}

async function restart(properties: Record<string, unknown> = {}): Promise<void> {
  await source.stop?.();
  open();
  await deploy(properties);
  await source.start?.();
}

const put = (...texts: string[]) =>
  kinesis.append(
    'clicks',
    texts.map(text => Buffer.from(text)),
  );
const textsOf = (event: KinesisEvent) =>
  event.Records.map(record => Buffer.from(record.kinesis.data, 'base64').toString());
const batches = () => events.map(textsOf);
const isPoison = (event: KinesisEvent) => textsOf(event).includes('poison');
const failOnPoison: Handler = event => (isPoison(event) ? new Error('poison') : null);

/** Lets back-off and windows pass until the condition holds. */
async function passTime(until: () => boolean, stepMs = 60_000): Promise<void> {
  await expect
    .poll(
      () => {
        if (!until() && clock.waiting().length > 0) clock.advance(stepMs);
        return until();
      },
      { interval: 5, timeout: 10_000 },
    )
    .toBe(true);
}

describe('a batch', () => {
  it('is an event just as AWS sends it', async () => {
    await deploy();
    await source.start?.();
    const [sequenceNumber = ''] = await put('hello');
    await expect.poll(() => events.length).toBe(1);
    expect(events[0]).toEqual({
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: '-',
            sequenceNumber,
            data: Buffer.from('hello').toString('base64'),
            approximateArrivalTimestamp: expect.any(Number),
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `shardId-000000000000:${sequenceNumber}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: 'arn:aws:iam::000000000000:role/count',
          awsRegion: 'us-east-1',
          eventSourceARN: streamArn,
        },
      ],
    });
  });

  it('holds up to BatchSize records, in order', async () => {
    await put('1', '2', '3', '4', '5');
    await deploy({ BatchSize: 2 });
    await source.start?.();
    await expect.poll(batches).toEqual([['1', '2'], ['3', '4'], ['5']]);
  });

  it('stays under 6 MB, as an invocation must', async () => {
    await put(...Array.from({ length: 7 }, () => 'x'.repeat(900_000)));
    await deploy();
    await source.start?.();
    await expect.poll(() => batches().map(batch => batch.length)).toEqual([5, 2]);
  });

  it('waits for more until its batching window is over', async () => {
    await deploy({ MaximumBatchingWindowInSeconds: 5 });
    await source.start?.();
    await put('1');
    await expect.poll(clock.waiting).toEqual([5000]);
    await put('2');
    await expect.poll(() => clock.waiting().length).toBe(1);
    clock.advance(5000);
    await expect.poll(batches).toEqual([['1', '2']]);
  });

  it('that is left over from a full one gets the whole batching window', async () => {
    handler = () => clock.advance(4000);
    await deploy({ MaximumBatchingWindowInSeconds: 5, BatchSize: 2 });
    await source.start?.();
    await put('1');
    await expect.poll(clock.waiting).toEqual([5000]);
    await put('2', '3');
    await expect.poll(batches).toEqual([['1', '2']]);
    await expect.poll(clock.waiting).toEqual([5000]);
  });
});

describe('where it reads', () => {
  it('is from now on with LATEST, and goes on where it was after a restart', async () => {
    await put('history');
    await deploy({ StartingPosition: 'LATEST' });
    await put('news');
    await deploy({ StartingPosition: 'LATEST' });
    await source.start?.();
    await expect.poll(batches).toEqual([['news']]);
    await source.stop?.();
    await put('meanwhile');
    await restart({ StartingPosition: 'LATEST' });
    await expect.poll(batches).toEqual([['news'], ['meanwhile']]);
  });

  it('is from a moment on with AT_TIMESTAMP', async () => {
    await put('old');
    clock.advance(1000);
    const moment = Date.now();
    await put('new');
    await deploy({ StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: moment / 1000 });
    await source.start?.();
    await expect.poll(batches).toEqual([['new']]);
  });

  it('is again the batch that was under way when it stopped', async () => {
    handler = () => new Error('not now');
    await deploy();
    await source.start?.();
    await put('1', '2');
    await expect.poll(() => events.length).toBe(1);
    handler = () => null;
    await restart();
    await expect.poll(batches).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
  });

  it('is every shard, also one that a split makes later', async () => {
    await kinesis.ensureStream('wide', { ShardCount: 3 });
    await deploy({ EventSourceArn: streamArn.replace('clicks', 'wide') });
    await source.start?.();
    await putKeyed(
      kinesis,
      'wide',
      ['a', 'b', 'c', 'd', 'e', 'f'].map(key => [key, key]),
    );
    await expect.poll(() => batches().flat().sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    const shardsOf = () => new Set(events.flatMap(event => event.Records.map(record => record.eventID.split(':')[0])));
    expect(shardsOf().size).toBe(3);
    const NewStartingHashKey = '10';
    await callKinesis(kinesis, 'SplitShard', {
      StreamName: 'wide',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey,
    });
    await expect.poll(() => kinesis.shards('wide')).toHaveLength(5);
    await putKeyed(
      kinesis,
      'wide',
      ['a', 'b', 'c', 'd', 'e', 'f'].map(key => [key, `${key} again`]),
    );
    await expect.poll(() => batches().flat()).toHaveLength(12);
    expect(shardsOf().size).toBe(4);
  });
});

describe('a failing function', () => {
  it('gets the batch again, with growing back-off, and nothing behind it first', async () => {
    let failures = 3;
    handler = () => (failures-- > 0 ? new Error('down') : null);
    await deploy({ BatchSize: 1 });
    await source.start?.();
    await put('1', '2');
    const waits: number[] = [];
    for (const expected of [100, 200, 400]) {
      await expect.poll(clock.waiting).toEqual([expected]);
      waits.push(...clock.waiting());
      clock.advance(expected);
    }
    await expect.poll(batches).toEqual([['1'], ['1'], ['1'], ['1'], ['2']]);
  });

  it('is spared a batch after MaximumRetryAttempts, which the on-failure destination is told', async () => {
    handler = failOnPoison;
    const DestinationConfig = { OnFailure: { Destination: queueArn } };
    await deploy({ BatchSize: 2, MaximumRetryAttempts: 1, DestinationConfig });
    const ids = await put('good', 'poison', 'next');
    await source.start?.();
    await passTime(() => events.length === 3);
    expect(batches()).toEqual([['good', 'poison'], ['good', 'poison'], ['next']]);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.arn).toBe(queueArn);
    expect(sent[0]?.body).toMatchObject({
      requestContext: {
        requestId: 'request-2',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:count',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      KinesisBatchInfo: {
        shardId: 'shardId-000000000000',
        startSequenceNumber: ids[0],
        endSequenceNumber: ids[1],
        batchSize: 2,
        streamArn,
      },
    });
  });

  it('gets a bisected batch in halves, until only the poison is given up and the rest was processed once', async () => {
    handler = failOnPoison;
    const DestinationConfig = { OnFailure: { Destination: queueArn } };
    await deploy({ BisectBatchOnFunctionError: true, MaximumRetryAttempts: 1, DestinationConfig });
    await put('1', '2', '3', 'poison', '5', '6', '7', '8');
    await source.start?.();
    await passTime(() => events.some(event => textsOf(event).includes('8') && !isPoison(event)));
    const succeeded = events.filter(event => !isPoison(event)).flatMap(textsOf);
    expect(succeeded).toEqual(['1', '2', '3', '5', '6', '7', '8']);
    expect(sent.map(message => message.body.KinesisBatchInfo)).toEqual([expect.objectContaining({ batchSize: 1 })]);
    expect(batches().filter(batch => batch.length === 1 && batch[0] === 'poison')).toHaveLength(2);
  });

  it('loses records over MaximumRecordAgeInSeconds, told as such', async () => {
    handler = () => new Error('down');
    await deploy({ MaximumRecordAgeInSeconds: 60, DestinationConfig: { OnFailure: { Destination: queueArn } } });
    await put('old');
    await source.start?.();
    await passTime(() => sent.length === 1);
    expect(sent[0]?.body).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded', approximateInvokeCount: 1 },
    });
    handler = () => null;
    await put('newer');
    await expect.poll(() => batches().at(-1)).toEqual(['newer']);
  });

  it('that has no free instance is no failed attempt', async () => {
    refuse = 3;
    await deploy({ MaximumRetryAttempts: 0 });
    await source.start?.();
    await put('1');
    await passTime(() => events.length === 1);
    expect(batches()).toEqual([['1']]);
    expect(log.join()).toContain('no instance came free');
  });

  it('that could not be invoked before a stop gets its records after the start', async () => {
    refuse = Number.POSITIVE_INFINITY;
    const settings = { MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: queueArn } } };
    await deploy(settings);
    await source.start?.();
    await put('1');
    await expect.poll(() => log.join()).toContain('no instance came free');
    await source.stop?.();
    refuse = 0;
    await restart(settings);
    await expect.poll(batches).toEqual([['1']]);
    expect(sent).toEqual([]);
  });
});

describe('a partial batch response', () => {
  const settings = { FunctionResponseTypes: ['ReportBatchItemFailures'] };
  const failuresFrom = (event: KinesisEvent, text: string) => ({
    batchItemFailures: event.Records.filter(
      record => Buffer.from(record.kinesis.data, 'base64').toString() === text,
    ).map(record => ({
      itemIdentifier: record.kinesis.sequenceNumber,
    })),
  });

  it('brings back the first failed record and what follows it', async () => {
    let failures = 1;
    handler = event => (failures-- > 0 ? failuresFrom(event, '3') : null);
    await deploy(settings);
    await put('1', '2', '3', '4');
    await source.start?.();
    await passTime(() => events.length === 2);
    expect(batches()).toEqual([
      ['1', '2', '3', '4'],
      ['3', '4'],
    ]);
  });

  it('is durable: after a restart the part that succeeded does not come again', async () => {
    handler = event => failuresFrom(event, '3');
    await deploy(settings);
    await put('1', '2', '3', '4');
    await source.start?.();
    await expect.poll(() => events.length).toBe(1);
    handler = () => null;
    await restart(settings);
    await expect.poll(batches).toEqual([
      ['1', '2', '3', '4'],
      ['3', '4'],
    ]);
  });

  it('with bisecting isolates each poison and processes the others once', async () => {
    handler = event => failuresFrom(event, 'poison');
    await deploy({
      ...settings,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: queueArn } },
    });
    await put('1', '2', 'poison', '4', '5', 'poison', '7');
    await source.start?.();
    await passTime(
      () => sent.length === 2 && batches().at(-1)?.includes('7') === true && !batches().at(-1)?.includes('poison'),
    );
    const perRecord = (text: string) =>
      batches()
        .flat()
        .filter(other => other === text).length;
    expect(perRecord('1')).toBe(1);
    expect(perRecord('2')).toBe(1);
    expect(sent.map(message => message.body.KinesisBatchInfo)).toEqual([
      expect.objectContaining({ batchSize: 1 }),
      expect.objectContaining({ batchSize: 1 }),
    ]);
  });

  it('that names no record of the batch fails all of it', async () => {
    let failures = 1;
    handler = () => (failures-- > 0 ? { batchItemFailures: [{ itemIdentifier: '' }] } : { batchItemFailures: [] });
    await deploy(settings);
    await put('1', '2');
    await source.start?.();
    await passTime(() => events.length === 2);
    expect(batches()).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
  });
});

describe('filters', () => {
  const filtered = (...patterns: object[]) => ({
    FilterCriteria: { Filters: patterns.map(pattern => ({ Pattern: JSON.stringify(pattern) })) },
  });

  it('let through what any pattern matches, and the rest counts as read', async () => {
    const settings = filtered({ data: { type: ['page'] } }, { data: ['plain'] });
    await put('{"type":"page"}', '{"type":"track"}', 'plain', 'other', '{"type":"track"}');
    await deploy(settings);
    await source.start?.();
    await expect.poll(batches).toEqual([['{"type":"page"}', 'plain']]);
    await restart(settings);
    await put('{"type":"page","n":2}');
    await expect.poll(batches).toEqual([['{"type":"page"}', 'plain'], ['{"type":"page","n":2}']]);
  });

  it('that let nothing through do not hold up the position', async () => {
    const created = await deploy(filtered({ data: ['nothing'] }));
    await put('skipped');
    await source.start?.();
    await expect.poll(() => state.get(`event-source/${created?.ref}`, 'shardId-000000000000')).toBeDefined();
    await restart();
    await put('seen');
    await expect.poll(batches).toEqual([['seen']]);
  });

  it('that cannot be understood are refused when deployed', async () => {
    await expect(deploy(filtered({ data: { type: [{ resembles: 'page' }] } }))).rejects.toThrow(
      'no operator "resembles"',
    );
  });
});

describe('ParallelizationFactor', () => {
  it('invokes side by side, each partition key in order', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    const { promise: company, resolve: arrived } = Promise.withResolvers<void>();
    let running = 0;
    handler = async () => {
      running += 1;
      if (running === 2) arrived();
      await company; // the first one waits for a second beside it
      running -= 1;
      return null;
    };
    for (const round of [1, 2, 3])
      await putKeyed(
        kinesis,
        'clicks',
        keys.map(key => [key, `${key}${round}`]),
      );
    await deploy({ ParallelizationFactor: 4, BatchSize: 1 });
    await source.start?.();
    await expect.poll(() => events.length).toBe(18);
    const ofKey = (key: string) =>
      batches()
        .flat()
        .filter(text => text.startsWith(key));
    for (const key of keys) expect(ofKey(key)).toEqual([`${key}1`, `${key}2`, `${key}3`]);
  });
});

describe('a tumbling window', () => {
  const count: Handler = event => ({ state: { count: (event.state?.count ?? 0) + event.Records.length } });

  it('carries the function’s state from batch to batch and closes with a final, empty invocation', async () => {
    handler = count;
    await deploy({ TumblingWindowInSeconds: 60, BatchSize: 2 });
    await put('1', '2', '3');
    await source.start?.();
    await expect.poll(() => events.length).toBe(2);
    expect(events.map(event => event.state)).toEqual([{}, { count: 2 }]);
    expect(events[0]).toMatchObject({
      window: { start: '2026-11-20T10:00:00Z', end: '2026-11-20T10:01:00Z' },
      shardId: 'shardId-000000000000',
      eventSourceARN: streamArn,
      isFinalInvokeForWindow: false,
      isWindowTerminatedEarly: false,
    });
    await expect.poll(clock.waiting).toEqual([50_200]); // the end of the minute, and a little grace
    await passTime(() => events.length === 3);
    expect(events[2]).toMatchObject({
      Records: [],
      state: { count: 3 },
      isFinalInvokeForWindow: true,
      isWindowTerminatedEarly: false,
    });
    await put('4');
    await expect.poll(() => events.length).toBe(4);
    expect(events[3]).toMatchObject({ state: {}, window: { start: '2026-11-20T10:01:00Z' } });
  });

  it('has no batch in common with the next, and ends before it', async () => {
    handler = count;
    await put('1', '2');
    clock.advance(60_000);
    await put('3');
    await deploy({ TumblingWindowInSeconds: 60 });
    await source.start?.();
    await expect.poll(batches).toEqual([['1', '2'], [], ['3']]);
    expect(events.map(event => event.window?.start)).toEqual([
      '2026-11-20T10:00:00Z',
      '2026-11-20T10:00:00Z',
      '2026-11-20T10:01:00Z',
    ]);
  });

  it('keeps its state over a restart', async () => {
    handler = count;
    const settings = { TumblingWindowInSeconds: 60 };
    await deploy(settings);
    await source.start?.();
    await put('1', '2');
    await expect.poll(() => clock.waiting().length).toBe(1);
    await restart(settings);
    await passTime(() => events.some(event => event.isFinalInvokeForWindow === true));
    expect(events.at(-1)?.state).toEqual({ count: 2 });
  });

  it('that could not be closed before a stop is closed after the start', async () => {
    handler = count;
    const settings = { TumblingWindowInSeconds: 60, MaximumRetryAttempts: 0 };
    await deploy(settings);
    await source.start?.();
    await put('1');
    await expect.poll(clock.waiting).toEqual([50_200]);
    refuse = Number.POSITIVE_INFINITY;
    clock.advance(60_000);
    await expect.poll(() => log.join()).toContain('no instance came free');
    await source.stop?.();
    refuse = 0;
    await restart(settings);
    await expect.poll(() => events.at(-1)).toMatchObject({ isFinalInvokeForWindow: true, state: { count: 1 } });
  });

  it('leaves room for its state in an invocation', async () => {
    handler = event => ({ state: { large: 'x'.repeat(event.Records.length > 0 ? 1_000_000 : 0) } });
    await deploy({ TumblingWindowInSeconds: 60 });
    await put('first');
    await source.start?.();
    await expect.poll(() => events.length).toBe(1);
    await put(...Array.from({ length: 5 }, () => 'x'.repeat(900_000)));
    await expect.poll(() => batches().map(batch => batch.length)).toEqual([1, 4, 1]);
  });

  it('fails an answer without state, and counts a bisected poison’s neighbours once', async () => {
    handler = event => (isPoison(event) ? {} : count(event));
    await deploy({ TumblingWindowInSeconds: 60, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 0 });
    await put('1', 'poison', '3', '4');
    await source.start?.();
    await passTime(() => events.some(event => event.isFinalInvokeForWindow === true));
    expect(events.at(-1)?.state).toEqual({ count: 3 });
  });

  it('ends early when its state is over 1 MB', async () => {
    handler = event => (event.isFinalInvokeForWindow ? { state: {} } : { state: { large: 'x'.repeat(1_100_000) } });
    await deploy({ TumblingWindowInSeconds: 60 });
    await put('1');
    await source.start?.();
    await expect.poll(() => events.length).toBe(2);
    expect(events[1]).toMatchObject({ Records: [], isFinalInvokeForWindow: true, isWindowTerminatedEarly: true });
  });
});

describe('a mapping', () => {
  it('is known by an id that stays the same', async () => {
    const created = await deploy();
    expect(created?.ref).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await deploy({ BatchSize: 7 })).toEqual(created);
    expect(created?.attributes?.EventSourceMappingArn).toContain(created?.ref);
  });

  it('is for Kinesis streams only', async () => {
    expect(source.accepts(streamArn)).toBe(true);
    expect(source.accepts(queueArn)).toBe(false);
    await expect(deploy({ EventSourceArn: queueArn })).rejects.toThrow('no local event source polls');
  });

  it('that is disabled invokes nothing', async () => {
    await deploy({ Enabled: false });
    await source.start?.();
    await put('1');
    await source.stop?.();
    expect(events).toEqual([]);
  });
});
