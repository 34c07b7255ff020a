import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { Stage } from '../stage.ts';
import type { ResultPage } from './result.ts';

export interface QueryStatus {
  readonly state: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  /** Why it failed, in Athena's words. */
  readonly reason: string | undefined;
  readonly bytesScanned: number;
  /** GetQueryResults answers the column names as a first row to SELECT, but not to SHOW, DESCRIBE and other utilities. */
  readonly hasHeaderRow: boolean;
}

/** What the `sql` command needs of Athena. Every call throws CommandError where AWS refuses it or cannot be reached. */
export interface Athena {
  readonly start: (sql: string) => Promise<string>;
  readonly status: (queryId: string) => Promise<QueryStatus>;
  readonly stop: (queryId: string) => Promise<void>;
  /** The result of a query that succeeded, in pages. */
  readonly results: (queryId: string, status: QueryStatus) => AsyncGenerator<ResultPage>;
}

/** GetQueryResults' own most, header row included. */
const maxRowsPerPage = 1000;

/** Athena in a stage's workgroup and database. */
export function createAthena({ aws, workgroup, database, explain }: Stage): Athena {
  const client = new AthenaClient(aws);

  async function answered<Answer>(call: Promise<Answer>): Promise<Answer> {
    return call.catch(error => {
      throw explain(error);
    });
  }

  return {
    start: async sql => {
      const QueryExecutionContext = { Database: database };
      const command = new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workgroup, QueryExecutionContext });
      const { QueryExecutionId = '' } = await answered(client.send(command));
      return QueryExecutionId;
    },
    status: async queryId => {
      const command = new GetQueryExecutionCommand({ QueryExecutionId: queryId });
      const { QueryExecution: query } = await answered(client.send(command));
      return {
        state: query?.Status?.State ?? 'QUEUED',
        reason: query?.Status?.StateChangeReason,
        bytesScanned: query?.Statistics?.DataScannedInBytes ?? 0,
        hasHeaderRow: query?.StatementType === 'DML',
      };
    },
    stop: async queryId => {
      await answered(client.send(new StopQueryExecutionCommand({ QueryExecutionId: queryId })));
    },
    results: async function* (queryId, { hasHeaderRow }) {
      let NextToken: string | undefined;
      do {
        const page = { QueryExecutionId: queryId, MaxResults: maxRowsPerPage, ...(NextToken && { NextToken }) };
        const answer = await answered(client.send(new GetQueryResultsCommand(page)));
        yield pageOf(answer, hasHeaderRow && NextToken === undefined);
        NextToken = answer.NextToken;
      } while (NextToken);
    },
  };
}

function pageOf({ ResultSet }: GetQueryResultsOutput, hasHeaderRow: boolean): ResultPage {
  const columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
  const rows = (ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map(datum => datum.VarCharValue ?? null));
  return {
    columns: columns.map(({ Name = '', Type = '' }) => ({ name: Name, type: Type })),
    rows: hasHeaderRow ? rows.slice(1) : rows,
  };
}
