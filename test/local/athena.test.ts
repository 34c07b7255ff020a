import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetQueryResultsCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lake, lakeBucket, openLake, parquetTable } from './athena-fixture.ts';

const days = ['2026-11-18', '2026-11-19', '2026-11-20'];
const columns = {
  event_id: 'string',
  name: 'string',
  received_at: 'timestamp',
  ingest_seq: 'bigint',
  added_later: 'string',
};

let lake: Lake;

beforeAll(async () => {
  lake = await openLake();
  await lake.deploy('AWS::Glue::Table', parquetTable('events', columns));
  // Two files a day with the same events, so that every one is there twice.
  for (const day of days) {
    for (const file of [1, 2]) {
      await lake.putParquet(
        `events/day=${day}/${file}.parquet`,
        `SELECT 'e' || range AS event_id, 'n' || range % 2 AS name, TIMESTAMP '${day} 10:00:00' AS received_at,
          range * 10 + ${file} AS ingest_seq, 'not in the catalog' AS extra FROM range(10)`,
      );
    }
  }
  await lake.deploy('AWS::Glue::Table', uniqueView());
});

afterAll(() => lake.stop());

/** As infra/clickstream/lake.cjs describes `events_unique`. */
function uniqueView() {
  const names = [...Object.keys(columns), 'day'];
  const originalSql = `SELECT ${names.join(', ')} FROM (SELECT *, row_number() OVER (PARTITION BY day, event_id
    ORDER BY received_at, ingest_seq) AS copy_number FROM events) WHERE copy_number = 1`;
  const definition = { originalSql, catalog: 'awsdatacatalog', schema: 'lake', columns: [] };
  return {
    DatabaseName: 'lake',
    TableInput: {
      ...{ Name: 'events_unique', TableType: 'VIRTUAL_VIEW' },
      ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
      StorageDescriptor: { Columns: names.map(Name => ({ Name, Type: 'string' })) },
    },
  };
}

async function rowsOf(sql: string): Promise<(string | null)[][]> {
  const { rows, reason } = await lake.query(sql);
  expect(reason).toBeUndefined();
  return rows.slice(1);
}

describe('a table over objects', () => {
  it('answers a header and rows as text', async () => {
    const { rows, types } = await lake.query("SELECT * FROM events WHERE day = '2026-11-19' AND ingest_seq = 31");
    expect(rows).toEqual([
      ['event_id', 'name', 'received_at', 'ingest_seq', 'added_later', 'day'],
      ['e3', 'n1', '2026-11-19 10:00:00.000', '31', null, '2026-11-19'],
    ]);
    expect(types).toEqual(['varchar', 'varchar', 'timestamp', 'bigint', 'varchar', 'varchar']);
  });

  it('takes the day from the key', async () => {
    const counts = await rowsOf('SELECT day, count(*) FROM lake.events GROUP BY day ORDER BY day');
    expect(counts).toEqual(days.map(day => [day, '20']));
  });

  it.each([
    "SELECT name, count(*) FROM events WHERE day = '2026-11-19' GROUP BY 1",
    "SELECT name, count(*) FROM events WHERE day BETWEEN '2026-11-19' AND '2026-11-19' GROUP BY 1",
    "SELECT name, count(*) FROM events e WHERE e.day >= cast(date '2026-11-20' - interval '1' day AS varchar) AND e.day < '2026-11-20' GROUP BY 1",
    "WITH one AS (SELECT * FROM events) SELECT name, count(*) FROM one WHERE day LIKE '2026-11-19%' GROUP BY 1",
  ])('scans one day for a query over one day: %s', async sql => {
    const all = await lake.query('SELECT name, count(*) FROM events GROUP BY 1');
    const one = await lake.query(sql);
    expect(one.rows.slice(1).sort()).toEqual([
      ['n0', '10'],
      ['n1', '10'],
    ]);
    expect(one.scannedBytes * 3).toBe(all.scannedBytes);
  });

  it('scans one day through the view of unique events too', async () => {
    const all = await lake.query('SELECT name, count(*) FROM events_unique GROUP BY 1 ORDER BY 1');
    expect(all.rows.slice(1)).toEqual([
      ['n0', '15'],
      ['n1', '15'],
    ]);
    const one = await lake.query(
      "SELECT name, count(*), max(ingest_seq) FROM events_unique WHERE day = '2026-11-20' GROUP BY 1 ORDER BY 1",
    );
    expect(one.rows.slice(1)).toEqual([
      ['n0', '5', '81'],
      ['n1', '5', '91'],
    ]);
    expect(one.scannedBytes * 3).toBe(all.scannedBytes);
  });

  it('counts the bytes of the columns it reads, and of each time it reads them', async () => {
    const sizes = await lake.duckdb.query(
      `SELECT path_in_schema, sum(total_compressed_size)::INTEGER FROM parquet_metadata([${lake.s3
        .list(lakeBucket, 'events/')
        .map(({ path }) => `'${path}'`)}]) GROUP BY 1`,
    );
    const sizeOf = (column: string) => sizes.rows.find(([name]) => name === column)?.[1] as number;
    const scanned = async (sql: string) => (await lake.query(sql)).scannedBytes;
    expect(await scanned('SELECT name FROM events')).toBe(sizeOf('name'));
    expect(await scanned("SELECT name FROM events WHERE event_id LIKE '%7' AND lower(event_id) <> 'x'")).toBe(
      sizeOf('name') + sizeOf('event_id'),
    );
    const joined = 'SELECT a.name FROM events a JOIN events b ON a.event_id = b.event_id';
    expect(await scanned(joined)).toBe(sizeOf('name') + 2 * sizeOf('event_id'));
    expect(await scanned('SELECT max(day) FROM events')).toBe(0);
    expect(await scanned("SELECT * FROM events WHERE day = 'never'")).toBe(0);
  });

  it('joins the same table with itself, a day each', async () => {
    const sql = `SELECT count(*) FROM events_unique a JOIN events_unique b ON a.event_id = b.event_id
      WHERE a.day = '2026-11-18' AND b.day = '2026-11-19'`;
    expect(await rowsOf(sql)).toEqual([['10']]);
  });

  it('is empty, with its columns, where there is no object', async () => {
    await lake.deploy('AWS::Glue::Table', parquetTable('nothing', { id: 'bigint', tags: 'array<string>' }));
    const { rows, types, scannedBytes } = await lake.query('SELECT * FROM nothing');
    expect({ rows, types, scannedBytes }).toEqual({
      rows: [['id', 'tags', 'day']],
      types: ['bigint', 'array', 'varchar'],
      scannedBytes: 0,
    });
    expect(await rowsOf("SELECT count(*), sum(id) FROM nothing WHERE day = '2026-11-20'")).toEqual([['0', null]]);
  });

  it('sees an object from its commit on, and only those of its partitions', async () => {
    await lake.deploy('AWS::Glue::Table', parquetTable('growing', { id: 'bigint' }));
    const count = async () => (await rowsOf('SELECT count(*) FROM growing'))[0]?.[0];
    expect(await count()).toBe('0');
    await lake.putParquet('growing/day=2026-11-20/a.parquet', 'SELECT 1 AS id');
    expect(await count()).toBe('1');
    await lake.putParquet('growing/stray.parquet', 'SELECT 1 AS id');
    await lake.putParquet('growing/day=2026-11-20/_temporary.parquet', 'SELECT 1 AS id');
    await lake.putParquet('growing/day=2025-12-31/before-the-range.parquet', 'SELECT 1 AS id');
    await lake.putParquet('growing2/day=2026-11-20/other-table.parquet', 'SELECT 1 AS id');
    expect(await count()).toBe('1');
  });

  it('reads lists, rows and maps, and a partition that is a number', async () => {
    const table = parquetTable('nested', {
      tags: 'array<string>',
      place: 'struct<city:string,since:timestamp>',
      counts: 'map<string,int>',
    });
    const partitioned = {
      ...(table.TableInput as object),
      PartitionKeys: [{ Name: 'shard', Type: 'int' }],
      Parameters: { 'storage.location.template': `s3://${lakeBucket}/nested/shards/\${shard}/v1/` },
    };
    await lake.deploy('AWS::Glue::Table', { ...table, TableInput: partitioned });
    const row =
      "SELECT ['a', 'b'] AS tags, {city: 'León', since: TIMESTAMP '2026-11-20 10:00:00'} AS place, MAP {'k': 1} AS counts";
    await lake.putParquet('nested/shards/7/v1/x.parquet', row);
    const sql = "SELECT tags, place, counts, shard + 1, place.city FROM nested WHERE shard = 7 AND contains(tags, 'b')";
    expect(await rowsOf(sql)).toEqual([['[a, b]', '{city=León, since=2026-11-20 10:00:00.000}', '{k=1}', '8', 'León']]);
  });

  it('keeps the right day when many files are read', async () => {
    await lake.deploy('AWS::Glue::Table', parquetTable('many', { id: 'bigint', day_written: 'string' }));
    const many = Array.from({ length: 60 }, (_, index) =>
      new Date(Date.UTC(2026, 1, 1 + index)).toISOString().slice(0, 10),
    );
    for (const day of many) {
      for (const file of [1, 2, 3])
        await lake.putParquet(`many/day=${day}/${file}.parquet`, `SELECT ${file} AS id, '${day}' AS day_written`);
    }
    expect(await rowsOf('SELECT count(*), count(DISTINCT day) FROM many WHERE day = day_written')).toEqual([
      ['180', '60'],
    ]);
    expect(await rowsOf("SELECT sum(id) FROM many WHERE day >= '2026-03-01'")).toEqual([[String(32 * 6)]]);
  });

  it('says which object is broken, and no path of this machine', async () => {
    await lake.deploy('AWS::Glue::Table', parquetTable('broken', { id: 'bigint' }));
    const file = join(lake.dir, 'broken');
    writeFileSync(file, 'this is no Parquet file, and never was one');
    await lake.s3.put(lakeBucket, 'broken/day=2026-11-20/x.parquet', { file });
    const { state, reason } = await lake.query('SELECT * FROM broken');
    expect(state).toBe('FAILED');
    expect(reason).toMatch(/^HIVE_BAD_DATA: .*s3:\/\/lake\/broken\/day=2026-11-20\/x\.parquet/);
    expect(reason).not.toContain(lake.dir);
  });
});

describe('a table of JSON lines', () => {
  const table = {
    DatabaseName: 'lake',
    TableInput: {
      Name: 'failed_events',
      PartitionKeys: [{ Name: 'day', Type: 'string' }],
      StorageDescriptor: {
        Location: `s3://${lakeBucket}/failed_events`,
        Columns: [
          { Name: 'reason', Type: 'string' },
          { Name: 'received_at', Type: 'timestamp' },
          { Name: 'payload', Type: 'string' },
          { Name: 'attempts', Type: 'int' },
        ],
        SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
      },
    },
  };

  it('reads gzipped and plain objects, timestamps of both kinds, and objects as text', async () => {
    await lake.deploy('AWS::Glue::Table', table);
    const first = {
      reason: 'too large',
      received_at: '2026-11-20T10:00:00.123Z',
      payload: { a: [1] },
      attempts: 1,
      extra: true,
    };
    const zipped = await lake.putJson('failed_events/day=2026-11-20/a.gz', [first]);
    const plain = await lake.putJson('failed_events/day=2026-11-21/b', [
      { received_at: '2026-11-21 11:00:00', payload: 'é\n"' },
    ]);
    const answer = await lake.query('SELECT * FROM failed_events ORDER BY day');
    expect(answer.rows.slice(1)).toEqual([
      ['too large', '2026-11-20 10:00:00.123', '{"a":[1]}', '1', '2026-11-20'],
      [null, '2026-11-21 11:00:00.000', 'é\n"', null, '2026-11-21'],
    ]);
    expect(answer.scannedBytes).toBe(zipped.size + plain.size);
    const one = await lake.query(
      "SELECT json_extract_scalar(payload, '$.a[0]') FROM failed_events WHERE day = '2026-11-20'",
    );
    expect(one.rows.slice(1)).toEqual([['1']]);
    expect(one.scannedBytes).toBe(zipped.size);
  });

  it('fails on a line that is no JSON object', async () => {
    await lake.deploy('AWS::Glue::Table', {
      ...table,
      TableInput: {
        ...table.TableInput,
        Name: 'bad_lines',
        PartitionKeys: [],
        StorageDescriptor: { ...table.TableInput.StorageDescriptor, Location: `s3://${lakeBucket}/bad_lines/` },
      },
    });
    await lake.s3.put(lakeBucket, 'bad_lines/x', Buffer.from('{"reason":"fine"}\n{"reason":\n'));
    const { reason } = await lake.query('SELECT * FROM bad_lines');
    expect(reason).toBe('HIVE_CURSOR_ERROR: Row is not a valid JSON Object in s3://lake/bad_lines/x');
  });
});

describe('results', () => {
  const texts = `SELECT x, CASE x % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a "quoted", é' ELSE 'two
lines' END AS text FROM (VALUES (sequence(1, 2500))) AS t(numbers) CROSS JOIN UNNEST(numbers) AS u(x) ORDER BY x`;

  it('come in pages that begin with the header once', async () => {
    const { id } = await lake.query(texts);
    const pages: (string | undefined)[][][] = [];
    let NextToken: string | undefined;
    do {
      const page = await lake.athena.send(
        new GetQueryResultsCommand({ QueryExecutionId: id, MaxResults: 999, ...(NextToken ? { NextToken } : {}) }),
      );
      pages.push((page.ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue)));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(pages.map(page => page.length)).toEqual([999, 999, 503]);
    const [header, ...rows] = pages.flat();
    expect(header).toEqual(['x', 'text']);
    const values = [undefined, '', 'a "quoted", é', 'two\nlines'];
    expect(rows).toEqual(Array.from({ length: 2500 }, (_, index) => [String(index + 1), values[(index + 1) % 4]]));
  });

  it('name columns as they are asked for, twice if asked twice', async () => {
    const { rows } = await lake.query('SELECT x, x, x + 1, \'a\' AS "say ""hi""" FROM (VALUES (1)) AS t(x)');
    expect(rows).toEqual([
      ['x', 'x', '_col2', 'say "hi"'],
      ['1', '1', '2', 'a'],
    ]);
  });

  it('are written to the workgroup’s place as CSV with every value quoted', async () => {
    const { id } = await lake.query("SELECT 1 AS a, cast(NULL AS varchar) AS b, '' AS c");
    const object = lake.s3.get('results', `athena/${id}.csv`);
    expect(readFileSync(object?.path ?? '', 'utf8')).toBe('"a","b","c"\n"1",,""\n');
  });
});

describe('failures', () => {
  it.each([
    ['SELECT nope FROM events', "SYNTAX_ERROR: line 1:8: Column 'nope' cannot be resolved"],
    ['SELECT *\nFROM missing', "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.lake.missing' does not exist"],
    ['SELECT * FROM elsewhere.events', "SCHEMA_NOT_FOUND: line 1:15: Schema 'elsewhere' does not exist"],
    ['SELECT * FROM other.lake.events', "CATALOG_NOT_FOUND: line 1:15: Catalog 'other' does not exist"],
    ['-- a comment\nSELECT nope()', "SYNTAX_ERROR: line 2:8: Function 'nope' not registered, or not for 0 arguments"],
    [
      'SELECT * FROM information_schema.tables',
      'NOT_SUPPORTED: line 1:15: The local Athena does not do information_schema; AWS does',
    ],
    [
      'SELECT * FROM "events$partitions"',
      'NOT_SUPPORTED: line 1:15: The local Athena does not do the table "events$partitions"; AWS does',
    ],
    ['SELECT name FROM events WHERE day >= current_date', 'TYPE_MISMATCH: Cannot compare varchar with date'],
    ['SELECT cast(name AS bigint) FROM events', "INVALID_CAST_ARGUMENT: Cannot cast 'n0' to BIGINT"],
  ])('%s', async (sql, reason) => {
    expect(await lake.query(sql)).toMatchObject({ state: 'FAILED', reason });
  });

  it.each([
    ['DELETE FROM events', 'NOT_SUPPORTED: Modifying Hive table rows is not supported'],
    ["UNLOAD (SELECT 1) TO 's3://lake/x/' WITH (format = 'PARQUET')", 'The local Athena does not do UNLOAD'],
    [
      "CREATE TABLE x WITH (external_location = 's3://lake/x/') AS SELECT 1 AS a",
      'The local Athena does not do CREATE TABLE',
    ],
    ['SHOW CREATE TABLE events', 'The local Athena does not do SHOW CREATE TABLE; AWS does'],
    ['show tblproperties events', 'The local Athena does not do SHOW TBLPROPERTIES; AWS does'],
    ['EXPLAIN ANALYZE SELECT 1', 'The local Athena does not do EXPLAIN ANALYZE; AWS does'],
    ['CREATE VIEW "qa-v" AS SELECT 1 AS a', 'takes only letters, digits and _ in a name, not "qa-v"'],
    ['SELEC 1', "line 1:1: mismatched input 'SELEC'"],
    ['', "line 1:1: mismatched input ''"],
  ])('%s is refused at once', async (sql, sentence) => {
    await expect(lake.query(sql)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: expect.stringContaining(sentence),
    });
  });

  it('cancels a query that would scan more than its workgroup allows', async () => {
    const { scannedBytes } = await lake.query('SELECT name FROM events');
    const ResultConfiguration = { OutputLocation: 's3://results/' };
    const WorkGroupConfiguration = { ResultConfiguration, BytesScannedCutoffPerQuery: scannedBytes };
    await lake.deploy('AWS::Athena::WorkGroup', { Name: 'thrifty', WorkGroupConfiguration });
    expect(await lake.query('SELECT name FROM events', { workGroup: 'thrifty' })).toMatchObject({ state: 'SUCCEEDED' });
    expect(await lake.query('SELECT name, event_id FROM events', { workGroup: 'thrifty' })).toMatchObject({
      ...{ state: 'CANCELLED', reason: 'Bytes scanned limit was exceeded' },
    });
  });
});

describe('views and metadata', () => {
  it('creates, shows, replaces and drops a view', async () => {
    expect(
      (await lake.query('CREATE VIEW names AS\nSELECT name, count(*) AS total FROM events GROUP BY name')).state,
    ).toBe('SUCCEEDED');
    expect(await rowsOf('SELECT * FROM names ORDER BY 1')).toEqual([
      ['n0', '30'],
      ['n1', '30'],
    ]);
    expect(await lake.query('CREATE VIEW names AS SELECT 1 AS x')).toMatchObject({
      reason: expect.stringContaining('already exists'),
    });
    expect(await lake.query('CREATE VIEW unnamed AS SELECT 1')).toMatchObject({
      reason: 'SYNTAX_ERROR: Column name not specified at position 1',
    });
    await lake.query("CREATE OR REPLACE VIEW names AS SELECT DISTINCT name FROM events WHERE day = '2026-11-20'");
    expect((await lake.query('DESCRIBE names')).rows).toEqual([['name', 'string', '']]);
    expect((await lake.query('SHOW CREATE VIEW names')).rows.flat()).toEqual([
      ...['CREATE VIEW lake.names AS', "SELECT DISTINCT name FROM events WHERE day = '2026-11-20'"],
    ]);
    expect((await lake.query("SHOW VIEWS LIKE 'n*'")).rows).toEqual([['names']]);
    await lake.query('DROP VIEW names');
    expect(await lake.query('DROP VIEW names')).toMatchObject({ reason: expect.stringContaining('does not exist') });
    expect((await lake.query('DROP VIEW IF EXISTS names')).state).toBe('SUCCEEDED');
    expect(await lake.query('DROP VIEW events')).toMatchObject({ reason: expect.stringContaining('is not a view') });
  });

  it('reads a view on a view, and refuses one that needs itself', async () => {
    await lake.query('CREATE VIEW first_view AS SELECT name, day FROM events_unique');
    await lake.query('CREATE VIEW second_view AS SELECT day, count(*) AS n FROM first_view GROUP BY day');
    expect(await rowsOf("SELECT n FROM second_view WHERE day = '2026-11-19'")).toEqual([['10']]);
    await lake.query('CREATE OR REPLACE VIEW first_view AS SELECT day AS name, day FROM second_view');
    expect(await lake.query('SELECT * FROM first_view')).toMatchObject({
      reason: expect.stringMatching(/^INVALID_VIEW: .*recursive$/),
    });
  });

  it.each([
    ['SHOW DATABASES', [['lake']]],
    ["SHOW TABLES IN lake 'events*'", [['events'], ['events_unique']]],
    ['SHOW COLUMNS IN events', [...Object.keys(columns), 'day'].map(name => [name])],
    ['SHOW PARTITIONS events', days.map(day => [`day=${day}`])],
    ['DESCRIBE lake.`events`', [...Object.entries(columns), ['day', 'string']].map(([name, type]) => [name, type, ''])],
  ])('%s', async (sql, rows) => {
    expect((await lake.query(sql)).rows).toEqual(rows);
  });

  it('explains over the partitions that a query would read', async () => {
    const { rows, scannedBytes } = await lake.query("EXPLAIN SELECT name FROM events WHERE day = '2026-11-20'");
    expect(rows.flat().join('\n')).toContain('lake.events');
    expect(scannedBytes).toBe(0);
  });
});
