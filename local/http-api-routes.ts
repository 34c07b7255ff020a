/** A route of an HTTP API, its key `POST /v1/orders/{id}`, `ANY /files/{path+}` or `$default`. */
export interface Route {
  readonly key: string;
  readonly functionArn: string;
  readonly timeoutMs: number;
}

export type MatchedRoute = { readonly route: Route; readonly pathParameters?: Record<string, string> };

/** Which route takes a request: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html */
export function createRouter(routes: Iterable<Route>): (method: string, path: string) => MatchedRoute | undefined {
  const byKey = new Map([...routes].map(route => [route.key, route]));
  const patterns = [...byKey.values()]
    .filter(({ key }) => key.includes('{'))
    .sort((a, b) => (rank(a.key) < rank(b.key) ? -1 : 1))
    .map(route => ({ route, expression: expressionOf(route.key) }));

  return (method, path) => {
    const exact = byKey.get(`${method} ${path}`) ?? byKey.get(`ANY ${path}`);
    if (exact) return { route: exact };
    for (const { route, expression } of patterns) {
      const match = expression.exec(`${method} ${path}`);
      if (match) return { route, pathParameters: { ...match.groups } };
    }
    const fallback = byKey.get('$default');
    return fallback && { route: fallback };
  };
}

/** Sorts the specific first: a fixed segment, then `{id}`, then `{path+}`; of equal paths, the one that names its method. */
function rank(key: string): string {
  const kinds = key.split('/').map(segment => (segment.endsWith('+}') ? '3' : segment.startsWith('{') ? '2' : '1'));
  return `${kinds.join('')}${key.startsWith('ANY') ? '1' : '0'}`;
}

function expressionOf(key: string): RegExp {
  const escaped = key.replace(/[.*?^$()|[\]\\]/g, '\\$&').replace(/^ANY/, '\\w+');
  return new RegExp(`^${escaped.replace(/\{(\w+)\+\}/g, '(?<$1>.*)').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}
