import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxBatchBytes } from '../../../src/lib/clickstream/limits.ts';
import { type OpsOptions, type OpsRun, runOps } from './run-ops.ts';
import { type BatchRequest, type SentEvent, startTrackingApi } from './tracking-api.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tableside-import-'));
});
afterAll(() => rm(folder, { recursive: true }));

const success = { success: true };
const flags = ['--anonymous-id', 'visitor', '--event-name', 'page', '--time', 'at'];

/** A file of `count` page views by `visitors` visitors in turn, each with its number. */
async function visits(count: number, { visitors = 7, filler = '' } = {}): Promise<string> {
  const rows = Array.from({ length: count }, (_, index) => {
    return `v${index % visitors},1999-06-24 10:00:00,page ${index},${index},${filler}\n`;
  });
  const file = join(folder, `visits-${count}-${visitors}-${filler.length}.csv`);
  await writeFile(file, `visitor,at,page,n,filler\n${rows.join('')}`);
  return file;
}

interface ImportRun extends OpsRun {
  readonly requests: readonly BatchRequest[];
  readonly sent: readonly SentEvent[];
}

/** Imports a file into an API that answers as told. */
async function importInto(
  onBatch: (request: BatchRequest, index: number) => void,
  args: readonly string[],
  options?: OpsOptions,
): Promise<ImportRun> {
  const requests: BatchRequest[] = [];
  await using api = await startTrackingApi(request => onBatch(request, requests.push(request) - 1));
  const run = await runOps(['import-csv', '--port', String(api.port), ...args], options);
  return { ...run, requests, sent: requests.flatMap(request => request.batch) };
}

describe('every row answered with success', () => {
  test('arrives once, with what the flags say, and is counted', async () => {
    const run = await importInto(({ answer }) => answer(200, success), [await visits(1234), ...flags]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toMatch(/^1,234 rows read in .*: 1,234 accepted, 0 refused\.\n$/);
    expect(run.sent).toHaveLength(1234);
    expect(new Set(run.sent.map(event => event.properties?.n)).size).toBe(1234);
    expect(run.sent.find(event => event.properties?.n === 8)).toMatchObject({
      type: 'page',
      name: 'page 8',
      anonymousId: 'v1',
      timestamp: '1999-06-24T10:00:00.000Z',
    });
    expect(run.requests[0]?.authorization).toBe(`Basic ${Buffer.from('wk_local:').toString('base64')}`);
  });

  test('has the same message id when it is sent again', async () => {
    const file = await visits(250);
    const [first, second] = [
      await importInto(({ answer }) => answer(200, success), [file, ...flags]),
      await importInto(({ answer }) => answer(200, success), [file, ...flags, '--concurrency', '1']),
    ];
    const idsByRow = ({ sent }: ImportRun) =>
      Object.fromEntries(sent.map(event => [event.properties?.n, event.messageId]));
    expect(idsByRow(second)).toEqual(idsByRow(first));
    expect(new Set(Object.values(idsByRow(first))).size).toBe(250);
  });

  test('comes in the file’s order for each visitor, though batches go side by side', async () => {
    // Answers are withheld until two batches wait or none can follow: an API that is slow, and out of order.
    let waiting: BatchRequest[] = [];
    let most = 0;
    const onBatch = (request: BatchRequest) => {
      waiting.push(request);
      most = Math.max(most, waiting.length);
      setImmediate(() => {
        for (const held of waiting.reverse()) held.answer(200, success);
        waiting = [];
      });
    };
    const { sent, exitCode } = await importInto(onBatch, [await visits(3000, { visitors: 40 }), ...flags]);
    expect([exitCode, sent.length]).toEqual([0, 3000]);
    const lastOf = new Map<string, number>();
    for (const { anonymousId = '', properties } of sent) {
      const n = Number(properties?.n);
      expect(n).toBeGreaterThan(lastOf.get(anonymousId) ?? -1);
      lastOf.set(anonymousId, n);
    }
    expect(most).toBeGreaterThan(1);
  });

  test('goes in batches under the API’s limits, however long the rows', async () => {
    const file = await visits(150, { filler: 'x'.repeat(20_000) });
    const { requests, exitCode } = await importInto(({ answer }) => answer(200, success), [file, ...flags]);
    expect(exitCode).toBe(0);
    expect(Math.max(...requests.map(({ bytes }) => bytes))).toBeLessThan(maxBatchBytes);
  });
});

test('no more batches are on their way than --concurrency says, and no more rows are read than fit two each', async () => {
  const held: BatchRequest[] = [];
  const interrupt = new AbortController();
  const onBatch = (request: BatchRequest) => {
    if (held.push(request) === 2) setImmediate(() => interrupt.abort());
  };
  const args = [await visits(5000), ...flags, '--concurrency', '2'];
  const { requests, exitCode, stdout } = await importInto(onBatch, args, { signal: interrupt.signal });
  expect(requests).toHaveLength(2);
  expect(exitCode).toBe(130);
  const [, rowsRead = '', unsent] =
    /^([\d,]+) rows? read .* 0 accepted, 0 refused, ([\d,]+) not sent or not answered/.exec(stdout) ?? [];
  expect(unsent).toBe(rowsRead);
  expect(Number(rowsRead)).toBeLessThanOrEqual(400);
  expect(stdout).toContain('Run the same command again');
});

describe('what is not accepted is not claimed', () => {
  test('events the API lists as rejected are refused with its reasons', async () => {
    const onBatch = ({ batch, answer }: BatchRequest) => {
      const index = batch.findIndex(event => event.properties?.n === 42);
      answer(200, index === -1 ? success : { success: true, rejected: [{ index, reason: 'no pages named 42' }] });
    };
    const { exitCode, stdout } = await importInto(onBatch, [await visits(300), ...flags]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(': 299 accepted, 1 refused.\n  row 43 (line 44): no pages named 42\n');
  });

  test('rows that cannot be events are refused by number, and the others sent', async () => {
    const file = join(folder, 'bad.csv');
    await writeFile(
      file,
      'visitor,at,page\nv1,1999-06-24,a\n,1999-06-24,b\nv1,soon,c\nv1,1999-06-24\nv1,1999-06-24,"d\ne"\n',
    );
    const { exitCode, stdout, sent } = await importInto(({ answer }) => answer(200, success), [file, ...flags]);
    expect(exitCode).toBe(1);
    expect(sent.map(event => event.name)).toEqual(['a', 'd\ne']);
    expect(stdout.split('\n').slice(1)).toEqual([
      '  row 2 (line 3): its visitor is empty',
      '  row 3 (line 4): "soon" is no time that can be read',
      '  row 4 (line 5): it has 2 fields, the header 3',
      '',
    ]);
  });

  test.each([
    [503, { detail: 'Try again.' }],
    [429, {}],
  ])('a %d is tried again by the SDK until it is accepted', async (status, body) => {
    const onBatch = ({ answer }: BatchRequest, index: number) =>
      index === 0 ? answer(status, body) : answer(200, success);
    const { exitCode, stdout, requests } = await importInto(onBatch, [
      await visits(100),
      ...flags,
      '--concurrency',
      '1',
    ]);
    expect([exitCode, requests.length]).toEqual([0, 2]);
    expect(stdout).toContain(': 100 accepted, 0 refused.');
  });

  test('so is a connection that is reset', async () => {
    const onBatch = ({ reset, answer }: BatchRequest, index: number) => (index === 0 ? reset() : answer(200, success));
    const { exitCode, stdout } = await importInto(onBatch, [await visits(100), ...flags, '--concurrency', '1']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(': 100 accepted, 0 refused.');
  });

  test.each<[string, number, unknown, string]>([
    ['an unknown write key', 401, { detail: 'No such write key.' }, 'the API answered 401: No such write key.'],
    ['a redirect, which the SDK takes for success', 302, {}, 'the API answered 302'],
    ['a 202, which promises nothing', 202, success, 'the API answered 202'],
    [
      'a 200 of something else',
      200,
      { hello: 'world' },
      'the answer was no {"success":true}: is that a Tableside API?',
    ],
  ])('%s stops the import', async (_name, status, body, reason) => {
    const args = [await visits(1000), ...flags, '--concurrency', '1'];
    const { exitCode, stdout, requests } = await importInto(({ answer }) => answer(status, body), args);
    expect([exitCode, requests.length]).toEqual([1, 1]);
    expect(stdout).toContain(` 0 accepted, 100 refused, `);
    expect(stdout).toContain(`\n  row 1 (line 2) and 99 more: ${reason}\nStopped before the end of the file: `);
  });

  test('a 413 refuses its batch alone', async () => {
    const onBatch = ({ answer }: BatchRequest, index: number) => answer(index === 0 ? 413 : 200, success);
    const { stdout } = await importInto(onBatch, [await visits(300), ...flags, '--concurrency', '1']);
    expect(stdout).toContain(': 200 accepted, 100 refused.\n');
  });

  test('an API that never answers is given up after --timeout-seconds', async () => {
    const args = [await visits(300), ...flags, '--concurrency', '1', '--timeout-seconds', '1'];
    const { exitCode, stdout } = await importInto(() => {}, args);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('no answer within 1 s');
  });
});

describe('--dry-run', () => {
  test('shows the first events and which column became what, reads all, and sends nothing', async () => {
    const args = [await visits(250), ...flags, '--dry-run', '--properties', 'none'];
    const { exitCode, stdout, stderr, requests } = await importInto(() => {}, args);
    expect([exitCode, requests.length]).toEqual([0, 0]);
    expect(stdout.match(/"messageId"/g)).toHaveLength(3);
    expect(stdout).toContain('250 rows read in ');
    expect(stdout).toContain('250 could be sent, 0 refused.');
    expect(stderr).toMatch(/^anonymousId {3}visitor$/m);
    expect(stderr).toMatch(/^not imported {2}n, filler$/m);
  });

  test('ends quietly where its reader goes away', async () => {
    const args = [await visits(250), ...flags, '--dry-run'];
    const { exitCode, stdout } = await importInto(() => {}, args, { closeAfterWrites: 1 });
    expect([exitCode, stdout.match(/"messageId"/g)?.length]).toEqual([0, 1]);
  });

  test('--limit reads no more rows than that', async () => {
    const { stdout } = await importInto(() => {}, [await visits(250), ...flags, '--dry-run', '--limit', '5']);
    expect(stdout).toContain('5 rows read in ');
  });
});

describe('the file', () => {
  const importText = async (content: string | Buffer, args: string[]) => {
    const file = join(folder, 'file.csv');
    await writeFile(file, content);
    return importInto(() => {}, [file, '--dry-run', '--anonymous-id', 'id', '--time', 'at', ...args]);
  };

  test('may begin with a byte-order mark', async () => {
    expect((await importText('\ufeffid;at;x\r\n1;1999-06-24;é\r\n', [])).stdout).toContain('"x": "é"');
  });

  test('may be in another encoding, which has to be said', async () => {
    const latin = Buffer.from('id,at,x\n1,1999-06-24,\xe9\n', 'latin1');
    const { exitCode, stderr } = await importText(latin, []);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/is not utf-8 text.*--encoding windows-1252/)]);
    expect((await importText(latin, ['--encoding', 'windows-1252'])).stdout).toContain('"x": "é"');
  });

  test.each([
    ['', [], 1, 'file.csv is empty.'],
    ['id,at\n', ['--delimiter', 'ab'], 2, '--delimiter is one character, or "tab".'],
    ['id,at\n', ['--encoding', 'klingon'], 2, 'There is no encoding "klingon"'],
    ['id,at\n', ['--time-zone', 'Mars'], 2, 'There is no time zone "Mars"'],
    ['id,when\n', [], 2, '--time: there is no column "at".'],
  ])('%j with %j is refused in a sentence', async (content, args, exitCode, sentence) => {
    const run = await importText(content, args);
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toContain(sentence);
  });

  test.each([
    ['nowhere.csv', 'There is no file nowhere.csv.'],
    ['.', '. is a folder.'],
  ])('%s is refused in a sentence', async (file, sentence) => {
    expect(await runOps(['import-csv', file, ...flags])).toMatchObject({ exitCode: 1, stderr: `${sentence}\n` });
  });
});

test('where no API answers, it says how to start one, before anything is read', async () => {
  const api = await startTrackingApi(() => {});
  await api[Symbol.asyncDispose]();
  const run = await runOps(['import-csv', await visits(10), ...flags, '--port', String(api.port)]);
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toBe(
    `Nothing answers on 127.0.0.1:${api.port}. Start Tableside with \`npm start\` in another terminal, or pass --port.\n`,
  );
});

test('a deployed stage wants its write key told', async () => {
  const run = await runOps(['import-csv', await visits(10), ...flags, '--stage', 'dev', '--region', 'eu-west-1']);
  expect(run).toMatchObject({ exitCode: 2, stderr: 'Say with which write key: --write-key, one of the stage dev.\n' });
});

test('progress shows on a terminal', async () => {
  const args = [await visits(500), ...flags];
  const { stderr } = await importInto(({ answer }) => answer(200, success), args, { columns: 120 });
  expect(stderr).toMatch(/[█░]{20} {2}\d+ % {2}\d+ rows {2}[\d,]+ rows\/s/);
});
