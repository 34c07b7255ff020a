import type { IncomingHttpHeaders } from 'node:http';
import type { Service } from './service.ts';

/** Who answers an unsigned `X-Amz-Target` (SDKs sign; curl and some test tools do not). */
const serviceByTargetPrefix: Readonly<Record<string, string>> = {
  AWSGlue: 'glue',
  AmazonAthena: 'athena',
  Firehose_20150804: 'firehose',
  Kinesis_20131202: 'kinesis',
};

/** The service of a request: by its credential scope, else by its target, else S3 (presigned POSTs and links name nobody). */
export function route(
  services: ReadonlyMap<string, Service>,
  scopeService: string | undefined,
  headers: IncomingHttpHeaders,
): Service | undefined {
  if (scopeService !== undefined) return services.get(scopeService);
  const target = headers['x-amz-target'];
  if (target === undefined) return services.get('s3');
  return services.get(serviceByTargetPrefix[String(target).split('.')[0] ?? ''] ?? '');
}
