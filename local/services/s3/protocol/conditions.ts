import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../../../gate/service.ts';

interface Validators {
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** The status that a request's conditions call for (RFC 9110, 13.2.2); undefined: they hold. */
export function unmet(headers: IncomingHttpHeaders, present: Validators, prefix = ''): 304 | 412 | undefined {
  const said = (name: string) => String(headers[prefix + name] ?? '');
  const matches = (tags: string) =>
    tags.split(',').some(tag => ['*', present.etag].includes(tag.replace(/W\/|["\s]/g, '')));
  // HTTP dates have whole seconds; a missing one is NaN, and no comparison with it holds.
  const modified = Math.floor(present.lastModified / 1000) * 1000;
  const [match, noneMatch] = [said('if-match'), said('if-none-match')];
  if (match ? !matches(match) : modified > Date.parse(said('if-unmodified-since'))) return 412;
  if (noneMatch ? matches(noneMatch) : modified <= Date.parse(said('if-modified-since'))) return 304;
  return undefined;
}

/** Throws where a condition does not hold; for all but reads, that is 412. */
export function requireMet(headers: IncomingHttpHeaders, present: Validators, prefix = ''): void {
  if (!unmet(headers, present, prefix)) return;
  throw new AwsError('PreconditionFailed', 'At least one of the conditions of the request does not hold', 412);
}

/** The first and last byte that a Range header asks for; undefined: all. Several ranges at once count as all, as in S3. */
export function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (!first && !last) return undefined;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  if (start > end) throw new AwsError('InvalidRange', `The object has only ${size} bytes`, 416);
  return { start, end };
}
