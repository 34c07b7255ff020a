import { readBody } from './json-protocol.ts';
import { AwsError, type Call, type Service } from './service.ts';

/** One action of an AWS Query service: form fields in, the XML inside `<…Result>` out. */
export type QueryAction = (fields: URLSearchParams) => string;

const maxBodyBytes = 1024 * 1024;

/** A service of the AWS Query protocol (`Action=…` in a form, XML back) as a table of actions. */
export function createQueryService(name: string, actions: Readonly<Record<string, QueryAction>>): Service {
  async function receive(request: Parameters<Service['receive']>[0]): Promise<Call> {
    const query = new URL(request.target, 'http://local').searchParams;
    const form = new URLSearchParams((await readBody(request, maxBodyBytes)).toString('utf8'));
    const fields = new URLSearchParams([...query, ...form]);
    const action = fields.get('Action') ?? '';
    const perform = actions[action];
    if (!perform) throw new AwsError('InvalidAction', `The local ${name} does not know ${action || 'this request'}`);
    return {
      action,
      grants: [{ action: `${name}:${action}`, resource: '*' }],
      perform: async () => ({
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body:
          `<${action}Response><${action}Result>${perform(fields)}</${action}Result>` +
          `<ResponseMetadata><RequestId>${request.id}</RequestId></ResponseMetadata></${action}Response>`,
      }),
    };
  }

  const fail: Service['fail'] = (error, request) => ({
    status: error.status,
    headers: { 'content-type': 'text/xml' },
    body:
      `<ErrorResponse><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${xmlText(error.message)}</Message>` +
      `</Error><RequestId>${request.id}</RequestId></ErrorResponse>`,
  });

  return { name, receive, fail };
}

/** A list of structures as the Query protocol writes it. */
export function xmlMembers(items: readonly Readonly<Record<string, string>>[]): string {
  return items.map(item => `<member>${xmlFields(item)}</member>`).join('');
}

export function xmlFields(item: Readonly<Record<string, string>>): string {
  return Object.entries(item)
    .map(([name, value]) => `<${name}>${xmlText(value)}</${name}>`)
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function xmlText(text: string): string {
  return text.replace(/[&<>"']/g, character => entities[character] ?? character);
}
