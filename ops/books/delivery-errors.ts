import { isRecord, tryParseJson } from '../../src/lib/clickstream/json.ts';
import type { Stage } from '../stage.ts';
import { type Elsewhere, linesOf, noteEvent, visitObjects } from './objects.ts';
import type { Window } from './window.ts';

/** What Firehose could not deliver, by document: a record holds many. */
export interface DeliveryErrors extends Elsewhere {
  /** Documents that are none of collect's. */
  unreadable: number;
}

/** Reads every object under delivery-errors/ from the window's first day on. */
export async function readDeliveryErrors(stage: Stage, bucket: string, window: Window): Promise<DeliveryErrors> {
  const found: DeliveryErrors = { events: new Set(), failedEvents: new Set(), unreadable: 0 };
  await visitObjects(stage, { bucket, prefix: 'delivery-errors/', window }, (key, lines) =>
    addErrors(found, key, lines, window),
  );
  return found;
}

/** https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html: a line of JSON a record. */
export function addErrors(found: DeliveryErrors, key: string, lines: readonly string[], window: Window): void {
  for (const line of lines) {
    const error = tryParseJson(line);
    const { rawData, arrivalTimestamp } = isRecord(error) ? error : {};
    const arrivedMs = typeof arrivalTimestamp === 'number' ? arrivalTimestamp : Number.NaN;
    const isInWindow = arrivedMs >= window.fromMs && arrivedMs < window.toMs;
    for (const document of linesOf(Buffer.from(String(rawData ?? ''), 'base64'))) {
      if (!noteEvent(found, key, document, window) && isInWindow) found.unreadable++;
    }
  }
}
