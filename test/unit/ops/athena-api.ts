import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Input = Record<string, unknown>;

export interface AthenaApi extends AsyncDisposable {
  readonly port: number;
  /** Actions in the order they came, with their input. */
  readonly calls: readonly { readonly action: string; readonly input: Input }[];
}

/** Stands for Athena's JSON protocol on a port of its own; an answer with `__type` is an error. */
export async function startAthenaApi(answers: Record<string, (input: Input) => object>): Promise<AthenaApi> {
  const calls: { action: string; input: Input }[] = [];
  const server = createServer(async (request, response) => {
    const action = String(request.headers['x-amz-target']).replace('AmazonAthena.', '');
    const input = (await json(request)) as Input;
    calls.push({ action, input });
    const answer = answers[action]?.(input) ?? {};
    response.writeHead('__type' in answer ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** What GetQueryExecution answers. */
export function execution(state: string, { reason = '', statementType = 'DML', bytes = 1_234_000 } = {}): object {
  return {
    QueryExecution: {
      Status: { State: state, ...(reason && { StateChangeReason: reason }) },
      Statistics: { DataScannedInBytes: bytes },
      StatementType: statementType,
    },
  };
}

/** What GetQueryResults answers. */
export function results(types: Record<string, string>, rows: (string | null)[][], nextToken?: string): object {
  return {
    ResultSet: {
      ResultSetMetadata: { ColumnInfo: Object.entries(types).map(([Name, Type]) => ({ Name, Type })) },
      Rows: rows.map(row => ({ Data: row.map(cell => (cell === null ? {} : { VarCharValue: cell })) })),
    },
    ...(nextToken && { NextToken: nextToken }),
  };
}
