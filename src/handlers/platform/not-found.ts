import { httpHandler } from '../../lib/http/handler.ts';
import { AppError } from '../../lib/runtime/errors.ts';

export const handler = httpHandler(async ({ requestContext: { http } }) => {
  throw new AppError(404, `Nothing answers ${http.method} ${http.path}: check the method and the path.`);
});
