import { noFeatureFlags, segmentSettings } from '../../lib/clickstream/tracker-settings.ts';
import { httpHandler, ok } from '../../lib/http/handler.ts';

export const handler = httpHandler(async ({ headers, pathParameters, requestContext }) => {
  const writeKey = pathParameters?.key;
  if (writeKey === undefined) return ok(noFeatureFlags);
  const address = { host: requestContext.domainName, protocol: headers['x-forwarded-proto'] ?? 'https' };
  return ok(segmentSettings(writeKey, address));
});
