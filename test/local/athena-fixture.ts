import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { GlueClient } from '@aws-sdk/client-glue';
import { createDuckdb, type Duckdb } from '../../local/engines/duckdb.ts';
import type { CloudContext, Provider } from '../../local/part.ts';
import { createAthena } from '../../local/services/athena/athena.ts';
import { createGlue } from '../../local/services/glue/glue.ts';
import type { S3, StoredObject } from '../../local/services/s3/s3.ts';
import { openState } from '../../local/state.ts';
import { serve } from './serve.ts';

/** S3 as far as Athena sees it: keys, and files with names that say nothing. */
export type FakeS3 = Pick<S3, 'put' | 'get' | 'list'>;

export interface Lake {
  readonly dir: string;
  readonly duckdb: Duckdb;
  readonly athena: AthenaClient;
  readonly glue: GlueClient;
  readonly s3: FakeS3;
  /** Deploys resources of these types, as the template does at each start. */
  readonly deploy: (type: string, properties: Record<string, unknown>) => Promise<{ ref: string }>;
  /** Stores what a query answers as one Parquet object. DuckDB's SQL. */
  readonly putParquet: (key: string, sql: string) => Promise<StoredObject>;
  readonly putJson: (key: string, rows: readonly unknown[]) => Promise<StoredObject>;
  readonly query: (sql: string, options?: QueryOptions) => Promise<Answer>;
  /** Stops Athena and Glue and opens them again on the same state. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface QueryOptions {
  readonly parameters?: string[];
  readonly workGroup?: string;
  readonly database?: string;
}

export interface Answer {
  readonly id: string;
  readonly state: string;
  readonly reason: string | undefined;
  readonly scannedBytes: number;
  readonly types: string[];
  /** The header first, as Athena answers it to SELECT. */
  readonly rows: (string | null)[][];
}

export const lakeBucket = 'lake';
const parquetSerde = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';

export async function openLake(): Promise<Lake> {
  const dir = mkdtempSync(join(tmpdir(), 'athena-'));
  const duckdb = createDuckdb({ dir, log: () => {} });
  const s3 = fakeS3(join(dir, 'blobs'));
  let parts = await openParts();

  async function openParts() {
    const context: CloudContext = {
      region: 'us-east-1',
      accountId: '000000000000',
      stateDir: dir,
      now: Date.now,
      log: () => {},
    };
    const state = openState(dir);
    const glue = createGlue(context, { state });
    const athena = createAthena(context, { s3, glue, duckdb, state });
    const gate = await serve([...(athena.services ?? []), ...(glue.services ?? [])]);
    const providers: Record<string, Provider> = { ...glue.providers, ...athena.providers };
    const client = {
      endpoint: gate.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    const clients = { athena: new AthenaClient(client), glue: new GlueClient(client) };
    const stop = async () => {
      await athena.stop?.();
      await gate.stop();
      state.close();
    };
    return { providers, clients, stop };
  }

  const deploy = async (type: string, properties: Record<string, unknown>) => {
    const create = parts.providers[type];
    if (!create) throw new Error(`nothing deploys ${type}`);
    return create({ logicalId: 'Resource', type, properties });
  };
  const deployBasics = async () => {
    await deploy('AWS::Glue::Database', { DatabaseInput: { Name: 'lake' } });
    const ResultConfiguration = { OutputLocation: 's3://results/athena/' };
    await deploy('AWS::Athena::WorkGroup', {
      Name: 'lake',
      WorkGroupConfiguration: { EnforceWorkGroupConfiguration: true, ResultConfiguration },
    });
  };
  await deployBasics();
  return {
    ...{ dir, duckdb, s3, deploy },
    get athena() {
      return parts.clients.athena;
    },
    get glue() {
      return parts.clients.glue;
    },
    putParquet: async (key, sql) => {
      const file = join(dir, 'new.parquet');
      await duckdb.run(`COPY (${sql}) TO '${file}' (FORMAT parquet, COMPRESSION gzip)`);
      return s3.put(lakeBucket, key, { file });
    },
    putJson: (key, rows) => {
      const text = Buffer.from(rows.map(row => `${JSON.stringify(row)}\n`).join(''));
      return s3.put(lakeBucket, key, key.endsWith('.gz') ? gzipSync(text) : text);
    },
    query: (sql, options) => query(parts.clients.athena, sql, options),
    restart: async () => {
      await parts.stop();
      parts = await openParts();
      await deployBasics();
    },
    stop: async () => {
      await parts.stop();
      await duckdb.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** A table of Parquet files by day, as the template describes the lake's. */
export function parquetTable(name: string, columns: Record<string, string>): Record<string, unknown> {
  return {
    DatabaseName: 'lake',
    TableInput: {
      Name: name,
      TableType: 'EXTERNAL_TABLE',
      Parameters: {
        'projection.enabled': 'true',
        'projection.day.type': 'date',
        'projection.day.range': '2026-01-01,NOW',
      },
      PartitionKeys: [{ Name: 'day', Type: 'string' }],
      StorageDescriptor: {
        Location: `s3://${lakeBucket}/${name}/`,
        Columns: Object.entries(columns).map(([Name, Type]) => ({ Name, Type })),
        SerdeInfo: { SerializationLibrary: parquetSerde },
      },
    },
  };
}

const pollMs = 5;

async function query(athena: AthenaClient, sql: string, options: QueryOptions = {}): Promise<Answer> {
  const { parameters, workGroup = 'lake', database = 'lake' } = options;
  const start = new StartQueryExecutionCommand({
    ...{ QueryString: sql, WorkGroup: workGroup, QueryExecutionContext: { Database: database } },
    ...(parameters ? { ExecutionParameters: parameters } : {}),
  });
  const { QueryExecutionId: id = '' } = await athena.send(start);
  for (;;) {
    const { QueryExecution: execution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
    const { State: state = '', StateChangeReason: reason } = execution?.Status ?? {};
    const scannedBytes = execution?.Statistics?.DataScannedInBytes ?? 0;
    if (state === 'SUCCEEDED') return { id, state, reason, scannedBytes, ...(await readAll(athena, id)) };
    if (state === 'FAILED' || state === 'CANCELLED') return { id, state, reason, scannedBytes, types: [], rows: [] };
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
}

async function readAll(athena: AthenaClient, id: string): Promise<Pick<Answer, 'types' | 'rows'>> {
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }));
  return {
    types: (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Type }) => Type ?? ''),
    rows: (ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue ?? null)),
  };
}

function fakeS3(dir: string): FakeS3 {
  const objects = new Map<string, StoredObject>();
  mkdirSync(dir, { recursive: true });
  let last = 0;
  return {
    put: async (bucket, key, body) => {
      const path = join(dir, `blob${++last}`);
      if (Buffer.isBuffer(body)) writeFileSync(path, body);
      else if ('file' in body) renameSync(body.file, path);
      else throw new Error('a stream is not expected here');
      const object = {
        bucket,
        key,
        path,
        size: statSync(path).size,
        etag: '',
        lastModified: Date.now(),
        contentType: '',
      };
      objects.set(`${bucket}/${key}`, object);
      return object;
    },
    get: (bucket, key) => objects.get(`${bucket}/${key}`),
    list: (bucket, prefix) =>
      [...objects.values()]
        .filter(object => object.bucket === bucket && object.key.startsWith(prefix))
        .sort((one, other) => (one.key < other.key ? -1 : 1)),
  };
}
