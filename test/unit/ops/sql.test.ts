import { describe, expect, test } from 'vitest';
import { type AthenaApi, execution, results, startAthenaApi } from './athena-api.ts';
import { type OpsOptions, type OpsRun, runOps } from './run-ops.ts';

const started = () => ({ QueryExecutionId: 'query-1' });
const columns = { name: 'varchar', n: 'bigint' };
const twoPages = ({ NextToken }: Record<string, unknown>) =>
  NextToken === undefined
    ? results(
        columns,
        [
          ['name', 'n'],
          ['home', '1944'],
          [null, '2'],
        ],
        'page 2',
      )
    : results(columns, [
        ['', '3'],
        ['name', 'n'],
      ]);

type Answers = Parameters<typeof startAthenaApi>[0];

async function ask(
  answers: Answers,
  args: readonly string[],
  options?: OpsOptions,
): Promise<OpsRun & Pick<AthenaApi, 'calls'>> {
  const working = {
    StartQueryExecution: started,
    GetQueryExecution: () => execution('SUCCEEDED'),
    GetQueryResults: twoPages,
  };
  await using api = await startAthenaApi({ ...working, ...answers });
  const run = await runOps(['sql', '--aws-port', String(api.port), ...args], options);
  return { ...run, calls: api.calls };
}

describe('the question', () => {
  test('goes to the stage’s workgroup and database, without its semicolon', async () => {
    const { calls } = await ask({}, ['select 1 ;\n']);
    expect(calls[0]).toMatchObject({
      action: 'StartQueryExecution',
      input: {
        QueryString: 'select 1',
        WorkGroup: 'tableside_local',
        QueryExecutionContext: { Database: 'tableside_local' },
      },
    });
  });

  test.each([[['-']], [[]]])('can come through a pipe, with arguments %j', async args => {
    const { calls } = await ask({}, args, { stdin: 'select\n  2' });
    expect(calls[0]?.input.QueryString).toBe('select\n  2');
  });
});

describe('the answer', () => {
  test('is every page of it, without the header row, and the cost on stderr', async () => {
    const { stdout, stderr, exitCode } = await ask({}, ['select 1', '--format', 'csv']);
    expect(stdout).toBe('name,n\r\nhome,1944\r\n,2\r\n"",3\r\nname,n\r\n');
    expect(stderr).toMatch(/^4 rows · \d\.\d\d s · 1\.2 MB scanned\n$/);
    expect(exitCode).toBe(0);
  });

  test('has no header row to drop where the statement is no SELECT', async () => {
    const { stdout } = await ask(
      {
        GetQueryExecution: () => execution('SUCCEEDED', { statementType: 'UTILITY' }),
        GetQueryResults: () => results({ tab_name: 'string' }, [['events'], ['failed_events']]),
      },
      ['show tables', '--format', 'csv'],
    );
    expect(stdout).toBe('tab_name\r\nevents\r\nfailed_events\r\n');
  });

  test('is a table unless told otherwise, and JSON where told', async () => {
    expect((await ask({}, ['select 1'])).stdout).toMatch(/^name\s+n\n─+\s+─+\nhome\s+1944\n/);
    expect(JSON.parse((await ask({}, ['select 1', '--format', 'json'])).stdout)[1]).toEqual({ name: null, n: 2 });
  });

  test('stops at --max-rows, and asks for no page beyond', async () => {
    const { stdout, stderr, calls } = await ask({}, ['select 1', '--format', 'csv', '--max-rows', '1']);
    expect(stdout).toBe('name,n\r\nhome,1944\r\n');
    expect(stderr).toContain('1 row ·');
    expect(calls.filter(({ action }) => action === 'GetQueryResults')).toHaveLength(1);
  });

  test('is asked for until it is there, with the state as progress', async () => {
    const states = ['QUEUED', 'RUNNING', 'SUCCEEDED'];
    const { exitCode, stderr } = await ask({ GetQueryExecution: () => execution(states.shift() ?? '') }, ['select 1'], {
      columns: 80,
    });
    expect([exitCode, states]).toEqual([0, []]);
    expect(stderr).toContain('queued  0.');
  });

  test('a reader that has seen enough ends it quietly', async () => {
    const { exitCode, stderr, calls } = await ask({}, ['select 1', '--format', 'csv'], { closeAfterWrites: 0 });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(calls.filter(({ action }) => action === 'GetQueryResults')).toHaveLength(1);
  });
});

describe('a query that fails', () => {
  test('exits 1 with Athena’s reason', async () => {
    const reason = "COLUMN_NOT_FOUND: line 1:8: Column 'nme' cannot be resolved";
    const run = await ask({ GetQueryExecution: () => execution('FAILED', { reason }) }, ['select nme from events']);
    expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: `${reason}\n` });
  });

  test('exits 1 with AWS’s words where it is not even begun', async () => {
    const refusal = { __type: 'InvalidRequestException', message: 'WorkGroup is not found.' };
    const run = await ask({ StartQueryExecution: () => refusal }, ['select 1']);
    expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: 'WorkGroup is not found.\n' });
  });

  test('says that it was cancelled', async () => {
    const { exitCode, stderr } = await ask({ GetQueryExecution: () => execution('CANCELLED') }, ['select 1']);
    expect([exitCode, stderr]).toEqual([1, 'The query was cancelled by somebody else.\n']);
  });
});

describe('a query that nobody waits for any more is stopped', () => {
  test('by Ctrl-C, which exits 130', async () => {
    const interrupt = new AbortController();
    const running = () => {
      interrupt.abort();
      return execution('RUNNING');
    };
    const { exitCode, stderr, calls } = await ask({ GetQueryExecution: running }, ['select 1'], {
      signal: interrupt.signal,
    });
    expect([exitCode, stderr]).toEqual([130, '']);
    expect(calls.at(-1)).toEqual({ action: 'StopQueryExecution', input: { QueryExecutionId: 'query-1' } });
  });

  test('by --timeout-seconds, which exits 1', async () => {
    const args = ['select 1', '--timeout-seconds', '0'];
    const { exitCode, stderr, calls } = await ask({ GetQueryExecution: () => execution('RUNNING') }, args);
    expect([exitCode, stderr]).toEqual([
      1,
      'No answer within 0 s; the query was stopped. --timeout-seconds waits longer.\n',
    ]);
    expect(calls.at(-1)?.action).toBe('StopQueryExecution');
  });
});

test('where nothing listens, it says how to start it', async () => {
  const api = await startAthenaApi({});
  await api[Symbol.asyncDispose]();
  const { exitCode, stderr } = await runOps(['sql', 'select 1', '--aws-port', String(api.port)]);
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    `Nothing answers on 127.0.0.1:${api.port}. Start Tableside with \`npm start\` in another terminal, or pass --aws-port.\n`,
  );
});
