import { readBody } from '../../gate/json-protocol.ts';
import { AwsError, type AwsRequest, type Call, type Reply, type Service } from '../../gate/service.ts';
import type { Lambda, LambdaFunction } from '../../lambda.ts';

export interface LambdaApiOptions extends Pick<Lambda, 'invoke' | 'send'> {
  readonly find: (functionNameOrArn: string) => LambdaFunction;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
}

const maxBodyBytes = 6 * 1024 * 1024;
/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: the last 4 KB of the log. */
const tailBytes = 4096;

/** Lambda's REST API, as far as `aws lambda invoke`, `get-function` and `list-functions` use it. */
export function createLambdaService({ find, functions, invoke, send }: LambdaApiOptions): Service {
  const readers: Readonly<Record<string, [action: string, read: (name: string) => unknown]>> = {
    'GET functions': ['ListFunctions', () => ({ Functions: [...functions.values()].map(configurationOf) })],
    'GET function': ['GetFunction', name => ({ Configuration: configurationOf(find(name)) })],
    'GET configuration': ['GetFunctionConfiguration', name => configurationOf(find(name))],
  };

  function receive(request: AwsRequest): Call {
    const [path = ''] = request.target.split('?');
    const [, encodedName = '', what] = /^\/2015-03-31\/functions(?:\/([^/]*)(?:\/([a-z]+))?)?$/.exec(path) ?? [];
    const name = decodeURIComponent(encodedName);
    const operation = `${request.method} ${what ?? (name ? 'function' : 'functions')}`;
    const resource = name ? find(name).arn : '*';
    if (operation === 'POST invocations') {
      const grants = [{ action: 'lambda:InvokeFunction', resource }];
      return { action: 'Invoke', grants, perform: () => performInvoke(name, request) };
    }
    const [action, read] = readers[operation] ?? [];
    if (!action || !read) throw new AwsError('UnknownOperationException', `The local Lambda has no ${path}`, 404);
    return { action, grants: [{ action: `lambda:${action}`, resource }], perform: async () => json(read(name)) };
  }

  async function performInvoke(name: string, { headers, ...request }: AwsRequest): Promise<Reply> {
    const event = parse(await readBody({ headers, ...request }, maxBodyBytes));
    if (headers['x-amz-invocation-type'] === 'Event') {
      send(name, event);
      return { status: 202 };
    }
    const context = headers['x-amz-client-context'];
    const clientContext = context && parse(Buffer.from(String(context), 'base64'));
    const { error, payload, logs } = await invoke(name, event, { clientContext });
    const tail = Buffer.from(logs.join('\n')).subarray(-tailBytes);
    return json(error ?? payload, {
      'x-amz-executed-version': '$LATEST',
      ...(error && { 'x-amz-function-error': 'Unhandled' }),
      ...(headers['x-amz-log-type'] === 'Tail' && { 'x-amz-log-result': tail.toString('base64') }),
    });
  }

  return { name: 'lambda', receive, fail };
}

function configurationOf({ arn, properties: { Code, ...properties } }: LambdaFunction): Record<string, unknown> {
  return { ...properties, FunctionArn: arn, Version: '$LATEST', PackageType: 'Zip', State: 'Active' };
}

function parse(body: Buffer): unknown {
  try {
    return body.length > 0 ? JSON.parse(body.toString()) : {};
  } catch (error) {
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${error}`);
  }
}

function json(value: unknown, headers?: Record<string, string>): Reply {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

function fail({ code, message, status }: AwsError): Reply {
  return { ...json({ Type: 'User', Message: message }, { 'x-amzn-errortype': code }), status };
}
