import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { AwsError } from './gate/service.ts';
import { type CorsConfiguration, corsHeaders, isPreflight } from './http-api-cors.ts';
import { eventOf, type HttpReply, replyOf } from './http-api-payload.ts';
import { createRouter, type Route } from './http-api-routes.ts';
import { createThrottle, type StageProperties } from './http-api-throttle.ts';
import type { Lambda } from './lambda.ts';
import { type CloudContext, type CloudPart, provider } from './part.ts';

export interface HttpApi extends CloudPart {
  readonly url: () => string;
}

type IntegrationProperties = { readonly IntegrationUri: string; readonly TimeoutInMillis?: number };
type RouteProperties = { readonly RouteKey: string; readonly Target: string; readonly AuthorizationType?: string };

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const maxBodyBytes = 10 * 1024 * 1024;
const maxHeaderBytes = 10_240;
const maxTimeoutMs = 30_000;
/** Longer than SDKs keep an idle connection: the server must not be the first to close it. */
const keepAliveMs = 75_000;
const drainMs = 5_000;
const apiId = 'local';

/** API Gateway's HTTP API, on a port of this machine. */
export function createHttpApi(context: CloudContext, { lambda, port }: { lambda: Lambda; port: number }): HttpApi {
  const integrations = new Map<string, Omit<Route, 'key'>>();
  const routes = new Map<string, Route>();
  let route = createRouter([]);
  let admit = createThrottle({}, context.now);
  let cors: CorsConfiguration | undefined;
  const server = createServer({ keepAliveTimeout: keepAliveMs, maxHeaderSize: maxHeaderBytes }, handle);
  server.on('clientError', refuseUnreadable);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomBytes(11).toString('base64');
    try {
      write(request, response, await answer(request, requestId), requestId);
    } catch (error) {
      if (response.destroyed) return;
      context.log(`${request.method} ${request.url}: ${error}`);
      write(request, response, gatewayReply(statusOf(error)), requestId);
    }
  }

  async function answer(request: IncomingMessage, requestId: string): Promise<HttpReply> {
    const [encodedPath = '/', ...query] = (request.url ?? '/').split('?');
    const path = decodeURIComponent(encodedPath);
    const matched = route(request.method ?? '', path);
    // AWS's pages differ on whether `$default` or the API itself answers a preflight: here a route does where one matches.
    if (!matched) return cors && isPreflight(request) ? { status: 204, headers: {}, body: '' } : gatewayReply(404);
    const { key, functionArn, timeoutMs } = matched.route;
    if (!admit(key)) return gatewayReply(429);
    const body = await readBody(request);
    if (!body) return gatewayReply(413);
    const ids = { accountId: context.accountId, apiId, requestId, timeEpoch: context.now() };
    const event = eventOf(request, { path, rawQueryString: query.join('?'), body }, matched, ids);
    const result = await within(timeoutMs, lambda.invoke(functionArn, event, { maxWaitMs: timeoutMs }));
    if (!result) return gatewayReply(503);
    return result.error ? gatewayReply(500) : replyOf(result.payload);
  }

  function write(request: IncomingMessage, response: ServerResponse, reply: HttpReply, requestId: string): void {
    const own = Object.entries(reply.headers).filter(([name]) => !cors || !name.startsWith('access-control-'));
    response.writeHead(reply.status, {
      ...Object.fromEntries(own),
      ...(cors && corsHeaders(cors, request)),
      ...(reply.status !== 204 && { 'content-length': Buffer.byteLength(reply.body) }),
      'apigw-requestid': requestId,
      ...(!server.listening && { connection: 'close' }),
    });
    response.end(reply.body);
  }

  function url(): string {
    if (!server.listening) throw new Error('There is no HTTP API: the template has none, or it has stopped.');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Lets the requests under way finish, within reason. */
  async function stop(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    const patience = setTimeout(() => server.closeAllConnections(), drainMs);
    await closed;
    clearTimeout(patience);
  }

  const providers = {
    'AWS::ApiGatewayV2::Api': provider<{ CorsConfiguration?: CorsConfiguration }>(async ({ logicalId, properties }) => {
      if (server.listening) throw cannotDeploy(logicalId, 'one is all that is served here');
      cors = properties.CorsConfiguration;
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return { ref: apiId, attributes: { ApiEndpoint: url(), ApiId: apiId } };
    }),
    'AWS::ApiGatewayV2::Integration': provider<IntegrationProperties>(({ logicalId, properties }) => {
      const { IntegrationUri: functionArn, TimeoutInMillis: timeoutMs = maxTimeoutMs } = properties;
      if (timeoutMs > maxTimeoutMs) throw cannotDeploy(logicalId, `API Gateway waits at most ${maxTimeoutMs} ms`);
      integrations.set(logicalId, { functionArn, timeoutMs });
      return { ref: logicalId };
    }),
    'AWS::ApiGatewayV2::Route': provider<RouteProperties>(({ logicalId, properties }) => {
      const { RouteKey: key, Target: target, AuthorizationType: authorization = 'NONE' } = properties;
      const integration = integrations.get(target.replace('integrations/', ''));
      if (!integration) throw cannotDeploy(logicalId, `there is no ${target}`);
      if (authorization !== 'NONE') throw cannotDeploy(logicalId, `there is no ${authorization} authorizer here`);
      routes.set(key, { key, ...integration });
      route = createRouter(routes.values());
      return { ref: logicalId };
    }),
    'AWS::ApiGatewayV2::Stage': provider<StageProperties>(({ logicalId, properties }) => {
      const { StageName: name } = properties;
      if (name !== '$default') throw cannotDeploy(logicalId, `the stage here is $default, not ${name}`);
      admit = createThrottle(properties, context.now);
      return { ref: name };
    }),
    'AWS::ApiGatewayV2::Authorizer': provider<{ AuthorizerType: string }>(({ logicalId, properties }) => {
      throw cannotDeploy(logicalId, `there is no ${properties.AuthorizerType} authorizer here`);
    }),
    'AWS::ApiGatewayV2::Deployment': provider(({ logicalId }) => ({ ref: logicalId })),
  };

  return { url, providers, stop };
}

function cannotDeploy(logicalId: string, reason: string): Error {
  return new Error(`The local HTTP API cannot deploy ${logicalId}: ${reason}`);
}

/** What API Gateway answers by itself. */
function gatewayReply(status: number): HttpReply {
  const message = status === 413 ? 'Request Entity Too Large' : STATUS_CODES[status];
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
}

function statusOf(error: unknown): number {
  if (error instanceof URIError) return 400;
  if (!(error instanceof AwsError)) return 500;
  return error.status === 413 ? 413 : error.status === 429 ? 503 : 500;
}

/** Reads all there is, so that the sender gets to hear a refusal, but keeps no more than the limit. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, timeoutMs, undefined);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/** A request that Node could not parse has no response object to answer it with. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const { status, body } = gatewayReply(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json`;
  if (socket.writable) socket.end(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  else socket.destroy();
}
