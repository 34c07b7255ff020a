import {
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Lake, openLake, parquetTable } from './athena-fixture.ts';

let lake: Lake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.stop());

const deployEvents = () => lake.deploy('AWS::Glue::Table', parquetTable('events', { id: 'string' }));
const namesIn = async (DatabaseName: string, Expression?: string) => {
  const { TableList } = await lake.glue.send(
    new GetTablesCommand({ DatabaseName, ...(Expression ? { Expression } : {}) }),
  );
  return TableList?.map(({ Name }) => Name);
};

it('answers the databases and tables of the template', async () => {
  expect((await deployEvents()).ref).toBe('events');
  const { DatabaseList } = await lake.glue.send(new GetDatabasesCommand({}));
  expect(DatabaseList).toEqual([{ Name: 'lake', CatalogId: '000000000000' }]);
  const { Table } = await lake.glue.send(new GetTableCommand({ DatabaseName: 'lake', Name: 'events' }));
  expect(Table).toMatchObject({
    ...{ Name: 'events', DatabaseName: 'lake', TableType: 'EXTERNAL_TABLE', CreateTime: expect.any(Date) },
    PartitionKeys: [{ Name: 'day', Type: 'string' }],
    StorageDescriptor: { Columns: [{ Name: 'id', Type: 'string' }], Location: 's3://lake/events/' },
  });
});

it('has no partitions, since they are projected', async () => {
  await deployEvents();
  expect(
    (await lake.glue.send(new GetPartitionsCommand({ DatabaseName: 'lake', TableName: 'events' }))).Partitions,
  ).toEqual([]);
});

it('says what is not there', async () => {
  await expect(lake.glue.send(new GetDatabaseCommand({ Name: 'nope' }))).rejects.toMatchObject({
    name: 'EntityNotFoundException',
  });
  await expect(lake.glue.send(new GetTableCommand({ DatabaseName: 'lake', Name: 'nope' }))).rejects.toMatchObject({
    ...{ name: 'EntityNotFoundException', message: 'Entity Not Found: table lake.nope' },
  });
});

it('creates, updates and deletes tables, which Athena sees at once', async () => {
  const { TableInput } = parquetTable('made', { id: 'bigint' }) as { TableInput: { Name: string } };
  await lake.glue.send(new CreateTableCommand({ DatabaseName: 'lake', TableInput }));
  expect((await lake.query('SELECT count(id) FROM made')).rows).toEqual([['_col0'], ['0']]);
  const again = lake.glue.send(new CreateTableCommand({ DatabaseName: 'lake', TableInput }));
  await expect(again).rejects.toMatchObject({ name: 'AlreadyExistsException' });
  const { TableInput: wider } = parquetTable('made', { id: 'bigint', name: 'string' }) as {
    TableInput: { Name: string };
  };
  await lake.glue.send(new UpdateTableCommand({ DatabaseName: 'lake', TableInput: wider }));
  expect((await lake.query('SELECT * FROM made')).rows).toEqual([['id', 'name', 'day']]);
  expect(await namesIn('lake', 'ma.*')).toEqual(['made']);
  await lake.glue.send(new DeleteTableCommand({ DatabaseName: 'lake', Name: 'made' }));
  expect(await namesIn('lake')).toEqual([]);
});

it('keeps what DDL made over a restart, and takes the rest from the template again', async () => {
  await deployEvents();
  await lake.query('CREATE VIEW ids AS SELECT DISTINCT id FROM events');
  await lake.restart();
  expect(await namesIn('lake')).toEqual(['ids']);
  await deployEvents();
  expect((await lake.query('SELECT count(*) FROM ids')).rows).toEqual([['_col0'], ['0']]);
});
