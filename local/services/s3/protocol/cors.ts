import type { IncomingHttpHeaders } from 'node:http';

/** A rule of a bucket's CorsConfiguration, as CloudFormation spells it. */
export interface CorsRule {
  readonly AllowedOrigins: readonly string[];
  readonly AllowedMethods: readonly string[];
  readonly AllowedHeaders?: readonly string[];
  readonly ExposedHeaders?: readonly string[];
  readonly MaxAge?: number;
}

/** The CORS headers of an answer, to a preflight or to the request itself; none where no rule admits it. */
export function corsHeaders(rules: readonly CorsRule[], method: string, headers: IncomingHttpHeaders) {
  const { origin = '' } = headers;
  const wanted = headers['access-control-request-method'] ?? method;
  const asked = headers['access-control-request-headers'] ?? '';
  const rule = rules.find(
    ({ AllowedOrigins, AllowedMethods, AllowedHeaders = [] }) =>
      matches(AllowedOrigins, origin) &&
      AllowedMethods.includes(wanted) &&
      asked.split(',').every(name => name === '' || matches(AllowedHeaders, name.trim())),
  );
  if (!rule) return {};
  const open = rule.AllowedOrigins.includes('*');
  return {
    'access-control-allow-origin': open ? '*' : origin,
    'access-control-allow-methods': rule.AllowedMethods.join(', '),
    'access-control-allow-headers': asked,
    'access-control-expose-headers': (rule.ExposedHeaders ?? []).join(', '),
    'access-control-max-age': rule.MaxAge ?? 0,
    ...(!open && { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** Whether a pattern, in which `*` is any run of characters, stands for the value. */
function matches(patterns: readonly string[], value: string): boolean {
  const literal = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return patterns.some(pattern => new RegExp(`^${literal(pattern).replace('*', '.*')}$`, 'i').test(value));
}
