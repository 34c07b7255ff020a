import { httpHandler } from '../../lib/http/handler.ts';
import { AppError } from '../../lib/runtime/errors.ts';

export const handler = httpHandler(async ({ headers, requestContext: { http } }) => {
  // A `$default` route catches preflights too; the API puts its CORS headers on whatever they are answered with.
  if (http.method === 'OPTIONS' && 'access-control-request-method' in headers) return { statusCode: 204 };
  throw new AppError(404, `Nothing answers ${http.method} ${http.path}: check the method and the path.`);
});
