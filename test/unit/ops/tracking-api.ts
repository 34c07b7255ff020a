import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface SentEvent {
  readonly messageId: string;
  readonly type: string;
  readonly name?: string;
  readonly anonymousId?: string;
  readonly timestamp: string;
  readonly properties?: Record<string, unknown>;
}

/** One batch request; `answer` ends it. */
export interface BatchRequest {
  readonly batch: readonly SentEvent[];
  readonly bytes: number;
  readonly authorization: string | undefined;
  readonly answer: (status: number, body: unknown) => void;
  readonly reset: () => void;
}

export interface TrackingApi extends AsyncDisposable {
  readonly port: number;
}

/** Stands for the HTTP API on a port of its own: the test decides what each batch is answered. */
export async function startTrackingApi(onBatch: (request: BatchRequest) => void): Promise<TrackingApi> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') void receive(request, response, onBatch);
    else response.writeHead(404).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  onBatch: (request: BatchRequest) => void,
): Promise<void> {
  const { batch } = (await json(request)) as { batch: SentEvent[] };
  onBatch({
    batch,
    bytes: Number(request.headers['content-length']),
    authorization: request.headers.authorization,
    answer: (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    },
    reset: () => request.socket.resetAndDestroy(),
  });
}
