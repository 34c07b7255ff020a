import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Duckdb } from '../../engines/duckdb.ts';
import type { Catalog } from '../../engines/trino/catalog.ts';
import { readCsv } from '../../engines/trino/csv.ts';
import type { ResultColumn } from '../../engines/trino/statements.ts';
import { createJsonService, type JsonAction, type JsonInput } from '../../gate/json-protocol.ts';
import { AwsError } from '../../gate/service.ts';
import { type CloudContext, type CloudPart, provider } from '../../part.ts';
import type { State } from '../../state.ts';
import type { S3 } from '../s3/s3.ts';
import { createExecutions, s3Address } from './executions.ts';

export interface AthenaDependencies {
  readonly s3: Pick<S3, 'put' | 'get' | 'list'>;
  readonly glue: Catalog;
  readonly duckdb: Duckdb;
  readonly state: State;
}

interface WorkGroup {
  readonly Name: string;
  readonly WorkGroupConfiguration?: {
    readonly EnforceWorkGroupConfiguration?: boolean;
    readonly BytesScannedCutoffPerQuery?: number;
    readonly ResultConfiguration?: { readonly OutputLocation?: string };
  };
}

interface NamedQuery {
  readonly NamedQueryId: string;
  readonly WorkGroup?: string;
}

/** The members that this service reads of its requests. */
interface Request {
  readonly QueryString?: string;
  readonly ClientRequestToken?: string;
  readonly ExecutionParameters?: readonly string[];
  readonly QueryExecutionContext?: { readonly Database?: string };
  readonly ResultConfiguration?: { readonly OutputLocation?: string };
  readonly WorkGroup?: string;
  readonly QueryExecutionId?: string;
  readonly QueryExecutionIds?: readonly string[];
  readonly NamedQueryId?: string;
  readonly NamedQueryIds?: readonly string[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html and API_StartQueryExecution.html
const limits = { pageRows: 1000, sqlBytes: 262_144 };
const noOutputLocation =
  'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.';

/** Athena over DuckDB: the wire API, workgroups and named queries. */
export function createAthena(context: CloudContext, deps: AthenaDependencies): CloudPart {
  const executions = createExecutions(context, deps);
  const workGroups = new Map<string, WorkGroup>([['primary', { Name: 'primary' }]]);
  const namedQueries = new Map<string, NamedQuery>(JSON.parse(deps.state.get('athena', 'named-queries') ?? '[]'));

  function workGroupOf({ WorkGroup: name = 'primary' }: Request): WorkGroup {
    return workGroups.get(name) ?? refuse(`WorkGroup ${name} is not found.`);
  }

  function start(request: Request) {
    const { QueryString: sql = '', QueryExecutionContext: { Database: database = 'default' } = {} } = request;
    const { Name: workGroup, WorkGroupConfiguration: settings = {} } = workGroupOf(request);
    if (Buffer.byteLength(sql) > limits.sqlBytes) refuse('The query string is longer than 262144 bytes');
    const own = settings.ResultConfiguration?.OutputLocation;
    const asked = settings.EnforceWorkGroupConfiguration ? undefined : request.ResultConfiguration?.OutputLocation;
    const id = executions.submit({
      ...{ sql, workGroup, database, outputLocation: asked ?? own ?? refuse(noOutputLocation) },
      ...{ parameters: request.ExecutionParameters, token: request.ClientRequestToken },
      maxBytes: settings.BytesScannedCutoffPerQuery,
    });
    return { QueryExecutionId: id };
  }

  async function results({ QueryExecutionId = '', MaxResults: max = limits.pageRows, NextToken = '0' }: Request) {
    const { query, columns } = executions.find(QueryExecutionId);
    const { State: state } = query.Status;
    if (state === 'QUEUED' || state === 'RUNNING') refuse(`Query has not yet finished. Current state: ${state}`);
    if (state !== 'SUCCEEDED') refuse(`Query did not finish successfully. Final query state: ${state}`);
    if (max < 1 || max > limits.pageRows) refuse(`MaxResults is from 1 to ${limits.pageRows}`);
    const output = query.ResultConfiguration.OutputLocation;
    const path = deps.s3.get(...s3Address(output))?.path ?? refuse(`Could not find results at ${output}`);
    const isCsv = query.StatementType === 'DML';
    const { rows, next } = isCsv
      ? await readCsv(path, Number(NextToken), max)
      : { rows: await readLines(path), next: undefined };
    const Rows = rows.map(row => ({ Data: row.map(text => (text === undefined ? {} : { VarCharValue: text })) }));
    const ResultSet = { Rows, ResultSetMetadata: { ColumnInfo: columns.map(columnInfo) } };
    return { UpdateCount: 0, ResultSet, ...(next === undefined ? {} : { NextToken: String(next) }) };
  }

  function list(request: Request) {
    const { Name } = workGroupOf(request);
    const [from, { MaxResults: max = 50 }] = [Number(request.NextToken ?? 0), request];
    const ids = executions
      .newestFirst()
      .flatMap(({ query }) => (query.WorkGroup === Name ? [query.QueryExecutionId] : []));
    const more = from + max < ids.length ? { NextToken: String(from + max) } : {};
    return { QueryExecutionIds: ids.slice(from, from + max), ...more };
  }

  function namedQuery(id = ''): NamedQuery {
    return namedQueries.get(id) ?? refuse(`NamedQuery ${id} was not found`);
  }

  function keepNamedQueries(): void {
    deps.state.set('athena', 'named-queries', JSON.stringify([...namedQueries]));
  }

  function createNamedQuery(id: string, query: object) {
    namedQueries.set(id, { WorkGroup: 'primary', ...query, NamedQueryId: id });
    keepNamedQueries();
    return { NamedQueryId: id };
  }

  /** An action is allowed on the workgroups that it touches. */
  function action(perform: (request: Request) => unknown): JsonAction {
    const resources = (request: Request) => {
      const queries = [request.QueryExecutionId ?? request.QueryExecutionIds ?? []].flat();
      const named = [request.NamedQueryId ?? request.NamedQueryIds ?? []].flat();
      const groups = [
        ...queries.map(id => executions.find(id).query.WorkGroup),
        ...named.map(id => namedQuery(id).WorkGroup),
      ];
      const names = new Set(groups.length > 0 ? groups : [request.WorkGroup ?? 'primary']);
      return [...names].map(name => `arn:aws:athena:${context.region}:${context.accountId}:workgroup/${name}`);
    };
    return { resources: (input: JsonInput) => resources(input), perform: (input: JsonInput) => perform(input) };
  }

  const actions = {
    StartQueryExecution: action(start),
    StopQueryExecution: action(({ QueryExecutionId = '' }) => executions.cancel(QueryExecutionId) ?? {}),
    GetQueryExecution: action(({ QueryExecutionId = '' }) => ({
      QueryExecution: executions.find(QueryExecutionId).query,
    })),
    BatchGetQueryExecution: action(({ QueryExecutionIds = [] }) => ({
      QueryExecutions: QueryExecutionIds.map(id => executions.find(id).query),
    })),
    ListQueryExecutions: action(list),
    GetQueryResults: action(results),
    CreateNamedQuery: action(request => createNamedQuery(randomUUID(), request)),
    GetNamedQuery: action(({ NamedQueryId }) => ({ NamedQuery: namedQuery(NamedQueryId) })),
    BatchGetNamedQuery: action(({ NamedQueryIds = [] }) => ({ NamedQueries: NamedQueryIds.map(namedQuery) })),
    ListNamedQueries: action(() => ({ NamedQueryIds: [...namedQueries.keys()] })),
    DeleteNamedQuery: action(({ NamedQueryId = '' }) => {
      namedQueries.delete(NamedQueryId);
      keepNamedQueries();
      return {};
    }),
    GetWorkGroup: action(request => {
      const { Name, WorkGroupConfiguration: Configuration } = workGroupOf(request);
      return { WorkGroup: { Name, State: 'ENABLED', Configuration } };
    }),
    ListWorkGroups: action(() => ({ WorkGroups: [...workGroups.keys()].map(Name => ({ Name, State: 'ENABLED' })) })),
  };

  return {
    services: [createJsonService({ name: 'athena', targetPrefix: 'AmazonAthena', actions })],
    providers: {
      'AWS::Athena::WorkGroup': provider<WorkGroup>(({ properties }) => {
        workGroups.set(properties.Name, properties);
        return { ref: properties.Name };
      }),
      'AWS::Athena::NamedQuery': provider<object>(({ logicalId, properties }) => {
        const { NamedQueryId } = createNamedQuery(logicalId, properties);
        return { ref: NamedQueryId, attributes: { NamedQueryId } };
      }),
    },
    stop: executions.stop,
  };
}

function refuse(message: string): never {
  throw new AwsError('InvalidRequestException', message);
}

async function readLines(path: string): Promise<string[][]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => line.split('\t'));
}

function columnInfo({ name, type, precision, scale = 0 }: ResultColumn) {
  const precisions: Readonly<Record<string, number>> = {
    bigint: 19,
    integer: 10,
    double: 17,
    timestamp: 3,
    varchar: 2 ** 31 - 1,
  };
  return {
    ...{ CatalogName: 'hive', SchemaName: '', TableName: '', Name: name, Label: name, Type: type, Nullable: 'UNKNOWN' },
    ...{ Precision: precision ?? precisions[type] ?? 0, Scale: scale, CaseSensitive: type === 'varchar' },
  };
}
