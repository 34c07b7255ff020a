import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDuckdb, type Duckdb, EngineError } from '../../local/engines/duckdb.ts';

/** Would take minutes. */
const endless = 'SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE (a.range + b.range) % 7 = 3';

let dir: string;
let duckdb: Duckdb;
const log: string[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'duckdb-'));
  duckdb = createDuckdb({ dir, log: line => log.push(line) });
});

afterAll(async () => {
  await duckdb.stop();
  rmSync(dir, { recursive: true });
});

describe('the query engine', () => {
  it('answers columns and rows, with 64-bit integers whole', async () => {
    const { columns, rows } = await duckdb.query("SELECT 9007199254740993::BIGINT AS id, 'é' AS name, NULL AS nothing");
    expect(columns.slice(0, 2)).toEqual([
      { name: 'id', type: 'BIGINT' },
      { name: 'name', type: 'VARCHAR' },
    ]);
    expect(rows).toEqual([[9007199254740993n, 'é', null]]);
  });

  it('brings more rows than one message holds, and no more than asked for', async () => {
    expect((await duckdb.query('SELECT range FROM range(50000)')).rows.at(-1)).toEqual([49999n]);
    expect((await duckdb.query('SELECT range FROM range(50000)', { maxRows: 3 })).rows).toEqual([[0n], [1n], [2n]]);
  });

  it('tells the columns of a query without running it', async () => {
    expect(await duckdb.columns(`SELECT 1 AS a, 1 AS a, x FROM (${endless}) t(x)`)).toEqual([
      { name: 'a', type: 'INTEGER' },
      { name: 'a', type: 'INTEGER' },
      { name: 'x', type: 'BIGINT' },
    ]);
  });

  it('writes files into its folder', async () => {
    await duckdb.run(`COPY (SELECT 1 AS a) TO '${dir}/out.csv' (FORMAT csv)`);
    expect(readFileSync(join(dir, 'out.csv'), 'utf8')).toBe('a\n1\n');
  });

  it.each([
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_text('DIR/../escape')",
    "COPY (SELECT 1) TO '/tmp/escaped.csv'",
    "ATTACH '/tmp/escaped.db'",
    'INSTALL httpfs',
    "SELECT * FROM 'https://example.com/a.parquet'",
    'SET enable_external_access = true',
    "SET memory_limit = '10GB'",
  ])('refuses to leave its folder or its settings: %s', async sql => {
    const refusal = /disabled by configuration|has been locked|not be (loaded|installed)|Missing Extension|Cannot/;
    await expect(duckdb.run(sql.replace('DIR', dir))).rejects.toThrow(refusal);
  });

  it('runs a short statement while long ones run, and interrupts these', async () => {
    const stop = new AbortController();
    const long = [1, 2, 3].map(() => duckdb.query(endless, { signal: stop.signal }));
    const ended = Promise.allSettled(long);
    expect((await duckdb.query('SELECT 1')).rows).toEqual([[1]]);
    stop.abort(new Error('enough'));
    expect(await ended).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason: new Error('enough') })));
  });

  it('interrupts a statement that has only just been sent', async () => {
    const stop = new AbortController();
    const sent = duckdb.run(endless, { signal: stop.signal });
    stop.abort(new Error('at once'));
    await expect(sent).rejects.toThrow('at once');
    await expect(duckdb.run('SELECT 1', { signal: stop.signal })).rejects.toThrow('at once');
  });

  it('ends what ignores its interrupt, and goes on in a new process', async () => {
    const stop = new AbortController();
    // One vector of work that no interrupt is looked at within.
    const deaf = `SELECT len(list_filter(l, lambda x, i: list_position(list_transform(l, lambda y: y.k), x.k) = i))
      FROM (SELECT list_transform(range(40000), lambda x: {'k': x}) AS l)`;
    const before = log.length;
    const sent = duckdb.query(deaf, { signal: stop.signal });
    // Work of its own, so that the other statement is in the midst of its when the interrupt comes.
    await duckdb.query('SELECT sum(range % 7) FROM range(300000000)');
    stop.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    expect(log.slice(before).join('\n')).toContain('SIGKILL');
    expect((await duckdb.query('SELECT 2')).rows).toEqual([[2]]);
  });

  it.runIf(process.platform === 'linux')(
    'fails what runs with a sentence when its process dies, and starts again',
    async () => {
      const engine = createDuckdb({ dir, log: line => log.push(line) });
      await engine.run('SELECT 1');
      const running = engine.query(endless);
      const failed = expect(running).rejects.toThrow('The query engine stopped (SIGKILL); try again');
      process.kill(engineProcesses().at(-1) ?? Number.NaN, 'SIGKILL');
      await failed;
      expect((await engine.query('SELECT 2 AS two')).rows).toEqual([[2]]);
      await engine.stop();
      await expect(engine.query('SELECT 1')).rejects.toThrow(new EngineError('The query engine was stopped'));
    },
  );

  it.runIf(process.platform === 'linux')('dies with its parent, even while it works', async () => {
    const script = join(dir, 'parent.ts');
    writeFileSync(
      script,
      `import { createDuckdb } from '${new URL('../../local/engines/duckdb.ts', import.meta.url).pathname}';
      const engine = createDuckdb({ dir: '${dir}', log: () => {} });
      await engine.run('SELECT 1');
      engine.query('${endless}').catch(() => {});
      console.log('running');`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(parent.stdout, 'data');
    const [child = 0] = engineProcesses(parent.pid);
    expect(child).toBeGreaterThan(0);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(child), { timeout: 5000 }).toBe(false);
  });
});

function engineProcesses(parent = process.pid): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

/** A dead process that nobody has waited for yet is a zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
