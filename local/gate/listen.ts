import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2, { type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Authorizer } from './authorize.ts';
import { brokenConnection, type Faults } from './faults.ts';
import type { Meter } from './meter.ts';
import { route } from './route.ts';
import { AwsError, type AwsRequest, type Caller, type Reply, type Service } from './service.ts';
import { identify } from './sigv4.ts';

export interface GateOptions {
  readonly port: number;
  readonly services: readonly Service[];
  /** The function that holds this access key; absent: the caller is the operator. */
  readonly callerOf: (accessKeyId: string) => Caller | undefined;
  readonly authorizer: Authorizer;
  readonly faults: Faults;
  readonly meter: Meter;
  readonly log: (line: string) => void;
}

export interface Gate {
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** SDKs keep idle connections for a minute: closing them earlier turns their next call into a reset. */
const keepAliveMs = 70_000;
/** `PRI * HTTP/2.0`: no HTTP/1 method begins with these two bytes. */
const http2Preface = 'PR';

/** The one AWS endpoint: HTTP/1.1 and h2c (stock Kinesis clients) on one port, each request handed to its service. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const handle = createHandler(options);
  const onRequest = (request: AnyRequest, response: AnyResponse) => void handle(request, response);
  const http1 = http.createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0, noDelay: true }, onRequest);
  const http2Server = http2.createServer({ settings: { initialWindowSize: 1024 * 1024 } }, onRequest);
  http1.on('checkContinue', (request, response) => {
    response.writeContinue();
    onRequest(request, response);
  });
  const sessions = new Set<ServerHttp2Session>();
  http2Server.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session)).on('error', () => session.destroy());
  });
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.once('readable', () => {
      const head: Buffer | null = socket.read();
      if (!head) return;
      socket.unshift(head);
      const target = head.subarray(0, 2).toString('latin1') === http2Preface ? http2Server : http1;
      target.emit('connection', socket);
    });
  });
  await listen(server, options.port);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = new Promise(resolve => server.close(resolve));
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: net.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function createHandler(options: GateOptions) {
  const services = new Map(options.services.map(service => [service.name, service]));

  return async function handle(raw: AnyRequest, response: AnyResponse): Promise<void> {
    const startedAt = performance.now();
    const identity = identify(raw.headers, raw.url ?? '/');
    const request: AwsRequest = {
      id: randomUUID(),
      caller: callerFrom(identity?.accessKeyId),
      method: raw.method ?? 'GET',
      target: raw.url ?? '/',
      headers: raw.headers,
      body: raw,
    };
    const service = route(services, identity?.service, raw.headers);
    let action = 'Unknown';
    let input: unknown;
    let problem: string | undefined;
    let reply: Reply | typeof brokenConnection;
    try {
      if (!service) throw unknownService(identity?.service);
      const call = await service.receive(request);
      ({ action, input } = call);
      const caller = call.signedBy === undefined ? request.caller : callerFrom(call.signedBy);
      options.authorizer.authorize(caller, call.grants);
      reply = await options.faults.perform({ service: service.name, action, caller }, call);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      reply = failure(error, request, service);
    }
    options.meter.record({
      service: service?.name ?? 'unknown',
      action,
      caller: request.caller,
      status: reply === brokenConnection ? 0 : reply.status,
      requestBytes: Number(raw.headers['content-length'] ?? 0),
      durationMs: performance.now() - startedAt,
      input,
      error: problem,
    });
    if (reply === brokenConnection) return void raw.socket.destroy();
    await write(response, reply, request).catch(() => response.destroy());
    // What the service did not read must still be drained, or the connection cannot carry the next request.
    if (!raw.readableEnded) raw.resume();
  };

  function callerFrom(accessKeyId: string | undefined): Caller {
    if (accessKeyId === undefined) return { kind: 'anonymous' };
    return options.callerOf(accessKeyId) ?? { kind: 'operator', accessKeyId };
  }

  function failure(error: unknown, request: AwsRequest, service: Service | undefined): Reply {
    let known: AwsError;
    if (error instanceof AwsError) known = error;
    else {
      options.log(`${service?.name ?? 'gate'}: ${error instanceof Error ? error.stack : String(error)}`);
      known = new AwsError('InternalFailure', 'The local cloud failed at this call; its log says why', 500);
    }
    return service ? service.fail(known, request) : jsonFailure(known);
  }
}

function unknownService(name: string | undefined): AwsError {
  return new AwsError('UnknownService', `The local cloud has no service ${name ?? 'for this request'}`, 400);
}

function jsonFailure(error: AwsError): Reply {
  const body = JSON.stringify({ __type: error.code, message: error.message });
  return { status: error.status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body };
}

async function write(response: AnyResponse, reply: Reply, request: AwsRequest): Promise<void> {
  const { body } = reply;
  const headers: Record<string, string | number> = { 'x-amzn-requestid': request.id, ...reply.headers };
  if (!(body instanceof Readable)) {
    // Without a body the header may still stand: HEAD tells the size of what GET would send.
    if (reply.status !== 204 && reply.status !== 304) headers['content-length'] ??= byteLength(body);
  }
  // The two responses share this call, but not one overload of it.
  (response as ServerResponse).writeHead(reply.status, headers);
  if (body instanceof Readable && request.method !== 'HEAD') await pipeline(body, response as ServerResponse);
  else (response as ServerResponse).end(request.method === 'HEAD' ? undefined : body);
}

function byteLength(body: string | Buffer | undefined): number {
  return body === undefined ? 0 : Buffer.byteLength(body);
}
