import type { Stage } from '../stage.ts';
import { type Elsewhere, noteEvent, visitObjects } from './objects.ts';
import type { Window } from './window.ts';

/** Where `forget` notes which events it removed, for the books: by `ingest_id` and minute of receipt, of nobody. */
export const forgottenPrefix = 'forgotten/';

/** Reads what `forget` removed. */
export async function readForgotten(stage: Stage, bucket: string, window: Window): Promise<Elsewhere> {
  const found: Elsewhere = { events: new Set(), failedEvents: new Set() };
  await visitObjects(stage, { bucket, prefix: forgottenPrefix, window }, (key, lines) => {
    for (const line of lines) noteEvent(found, key, line, window);
  });
  return found;
}
