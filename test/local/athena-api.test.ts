import {
  BatchGetNamedQueryCommand,
  BatchGetQueryExecutionCommand,
  CreateNamedQueryCommand,
  DeleteNamedQueryCommand,
  GetNamedQueryCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetWorkGroupCommand,
  ListNamedQueriesCommand,
  ListQueryExecutionsCommand,
  ListWorkGroupsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lake, openLake } from './athena-fixture.ts';

/** Runs for minutes unless it is stopped. */
const endless = `SELECT count(*) FROM (VALUES (sequence(1, 100000))) AS a(list) CROSS JOIN UNNEST(list) AS b(x)
  CROSS JOIN (VALUES (sequence(1, 100000))) AS c(other) CROSS JOIN UNNEST(other) AS d(y) WHERE (x * y) % 7 = 3`;

let lake: Lake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.stop());

async function start(sql: string, more: { ClientRequestToken?: string; WorkGroup?: string } = {}): Promise<string> {
  const command = new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: 'lake', ...more });
  return (await lake.athena.send(command)).QueryExecutionId ?? '';
}

async function execution(id: string) {
  const answer = await lake.athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
  return answer.QueryExecution;
}

const stateOf = async (id: string) => (await execution(id))?.Status?.State;
const becomes = (id: string, state: string) => expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe(state);

describe('query executions', () => {
  it('tell what was asked and what came of it', async () => {
    const { id } = await lake.query('SELECT 1 AS one', { database: 'lake' });
    expect(await execution(id)).toMatchObject({
      ...{
        QueryExecutionId: id,
        Query: 'SELECT 1 AS one',
        StatementType: 'DML',
        SubstatementType: 'SELECT',
        WorkGroup: 'lake',
      },
      QueryExecutionContext: { Database: 'lake', Catalog: 'awsdatacatalog' },
      ResultConfiguration: { OutputLocation: `s3://results/athena/${id}.csv` },
      Status: { State: 'SUCCEEDED', SubmissionDateTime: expect.any(Date), CompletionDateTime: expect.any(Date) },
      Statistics: { DataScannedInBytes: 0, TotalExecutionTimeInMillis: expect.any(Number) },
    });
    expect(await execution((await lake.query('SHOW TABLES')).id)).toMatchObject({ StatementType: 'UTILITY' });
  });

  it('are the same for the same request token', async () => {
    const ClientRequestToken = 'a-token-of-at-least-thirty-two-characters';
    const first = await start('SELECT 1', { ClientRequestToken });
    expect(await start('SELECT 1', { ClientRequestToken })).toBe(first);
    expect(await start('SELECT 1')).not.toBe(first);
  });

  it('take parameters', async () => {
    const { rows } = await lake.query('SELECT ? AS a, ? AS b', { parameters: ["'it''s'", "date '2026-11-20'"] });
    expect(rows).toEqual([
      ['a', 'b'],
      ["it's", '2026-11-20'],
    ]);
  });

  it('run four at a time, the others queued, and can be stopped at any time', async () => {
    const ids: string[] = [];
    for (const _ of [1, 2, 3, 4]) ids.push(await start(endless));
    const queued = await start('SELECT 1');
    for (const id of ids) await becomes(id, 'RUNNING');
    expect(await stateOf(queued)).toBe('QUEUED');
    const unwanted = await start('SELECT 2');
    await lake.athena.send(new StopQueryExecutionCommand({ QueryExecutionId: unwanted }));
    for (const id of ids) await lake.athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
    await becomes(queued, 'SUCCEEDED');
    expect(await Promise.all([...ids, unwanted].map(stateOf))).toEqual(Array(5).fill('CANCELLED'));
  });

  it('have no results before they end, nor where they failed', async () => {
    const id = await start(endless);
    const results = (QueryExecutionId: string) => lake.athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
    await expect(results(id)).rejects.toThrow(/^Query has not yet finished\. Current state: (QUEUED|RUNNING)$/);
    await lake.athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
    await expect(results(id)).rejects.toThrow('Query did not finish successfully. Final query state: CANCELLED');
    await expect(results('unknown')).rejects.toThrow('QueryExecution unknown was not found');
  });

  it('outlive a restart, with their results; what ran has failed', async () => {
    const { id } = await lake.query('SELECT 42 AS answer');
    const running = await start(endless);
    await becomes(running, 'RUNNING');
    await lake.restart();
    const { ResultSet } = await lake.athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }));
    expect(ResultSet?.Rows?.[1]?.Data).toEqual([{ VarCharValue: '42' }]);
    expect(ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([
      { Name: 'answer', Type: 'integer', Precision: 10 },
    ]);
    expect((await execution(running))?.Status).toMatchObject({
      ...{ State: 'FAILED', StateChangeReason: 'The local cloud was stopped while the query ran' },
    });
  });

  it('are listed by workgroup, the newest first, and answered in batches', async () => {
    const ids: string[] = [];
    for (const sql of ['SELECT 1', 'SELECT 2', 'SELECT 3']) ids.unshift((await lake.query(sql)).id);
    const first = await lake.athena.send(new ListQueryExecutionsCommand({ WorkGroup: 'lake', MaxResults: 2 }));
    expect(first.QueryExecutionIds).toEqual(ids.slice(0, 2));
    const { NextToken } = first;
    const rest = await lake.athena.send(
      new ListQueryExecutionsCommand({ WorkGroup: 'lake', MaxResults: 2, NextToken }),
    );
    expect(rest).toMatchObject({ QueryExecutionIds: ids.slice(2) });
    expect(rest.NextToken).toBeUndefined();
    expect((await lake.athena.send(new ListQueryExecutionsCommand({}))).QueryExecutionIds).toEqual([]);
    const batch = await lake.athena.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }));
    expect(batch.QueryExecutions?.map(({ Query }) => Query)).toEqual(['SELECT 3', 'SELECT 2', 'SELECT 1']);
  });

  it('answer many at once, each with its own', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => lake.query(`SELECT ${index}`)));
    expect(answers.map(({ rows }) => rows[1]?.[0])).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  });
});

describe('workgroups', () => {
  it('are told with their configuration', async () => {
    const { WorkGroup } = await lake.athena.send(new GetWorkGroupCommand({ WorkGroup: 'lake' }));
    expect(WorkGroup).toMatchObject({
      ...{ Name: 'lake', State: 'ENABLED' },
      Configuration: {
        EnforceWorkGroupConfiguration: true,
        ResultConfiguration: { OutputLocation: 's3://results/athena/' },
      },
    });
    const { WorkGroups } = await lake.athena.send(new ListWorkGroupsCommand({}));
    expect(WorkGroups?.map(({ Name }) => Name)).toEqual(['primary', 'lake']);
  });

  it('decide where results go, where they enforce it', async () => {
    const elsewhere = (WorkGroup: string) =>
      lake.athena.send(
        new StartQueryExecutionCommand({
          ...{ QueryString: 'SELECT 1', WorkGroup },
          ResultConfiguration: { OutputLocation: 's3://mine/here' },
        }),
      );
    const enforced = await elsewhere('lake');
    expect((await execution(enforced.QueryExecutionId ?? ''))?.ResultConfiguration?.OutputLocation).toMatch(
      /^s3:\/\/results\/athena\//,
    );
    const free = await elsewhere('primary');
    expect((await execution(free.QueryExecutionId ?? ''))?.ResultConfiguration?.OutputLocation).toMatch(
      /^s3:\/\/mine\/here\/[\w-]+\.csv$/,
    );
    await expect(start('SELECT 1', { WorkGroup: 'primary' })).rejects.toThrow('No output location provided');
    await expect(start('SELECT 1', { WorkGroup: 'nobody' })).rejects.toThrow('WorkGroup nobody is not found.');
  });
});

describe('named queries', () => {
  it('are kept, listed and deleted, and outlive a restart', async () => {
    const query = { Name: 'top', Database: 'lake', QueryString: 'SELECT 1', WorkGroup: 'lake', Description: 'the top' };
    const { NamedQueryId = '' } = await lake.athena.send(new CreateNamedQueryCommand(query));
    const deployed = await lake.deploy('AWS::Athena::NamedQuery', {
      Name: 'other',
      Database: 'lake',
      QueryString: 'SELECT 2',
    });
    await lake.restart();
    expect((await lake.athena.send(new GetNamedQueryCommand({ NamedQueryId }))).NamedQuery).toMatchObject({
      ...query,
      NamedQueryId,
    });
    expect((await lake.athena.send(new ListNamedQueriesCommand({}))).NamedQueryIds).toEqual([
      NamedQueryId,
      deployed.ref,
    ]);
    const batch = await lake.athena.send(new BatchGetNamedQueryCommand({ NamedQueryIds: [deployed.ref] }));
    expect(batch.NamedQueries).toMatchObject([{ Name: 'other', QueryString: 'SELECT 2' }]);
    await lake.athena.send(new DeleteNamedQueryCommand({ NamedQueryId }));
    await expect(lake.athena.send(new GetNamedQueryCommand({ NamedQueryId }))).rejects.toThrow('was not found');
  });
});
