import { type Away, balanceOf, isShort } from '../books/balance.ts';
import { readDeliveryErrors } from '../books/delivery-errors.ts';
import { readForgotten } from '../books/forgotten.ts';
import { amongSql, type Kept, keptOf, keptSql } from '../books/lake.ts';
import type { Elsewhere } from '../books/objects.ts';
import { readReceived } from '../books/received.ts';
import { booksReport } from '../books/report.ts';
import { type Window, windowOf } from '../books/window.ts';
import { defineCommand, type OptionTable } from '../command.ts';
import { type Asker, createAsker, timeoutOption } from '../sql/ask.ts';
import { findOutput } from '../stack.ts';

const options = {
  day: { kind: 'text', placeholder: 'YYYY-MM-DD', help: 'a day, UTC (default: today)' },
  'last-hour': { kind: 'flag', help: 'the last 60 minutes instead' },
  ...timeoutOption,
} as const satisfies OptionTable;

type Ask = Asker['rows'];

export const command = defineCommand({
  name: 'books',
  summary: 'Tells whether everything that was acknowledged is there',
  usage: `
npm run ops -- books --day 2026-11-20
npm run ops -- books --last-hour

received = stored + failed + delivery errors + forgotten, over distinct ingest_id. What was received is what collect-events
counted, in CloudWatch; the rest is counted in the lake. Exits 1 where the books fall short. They may exceed after a
crash or a 503, because what was stored then was not acknowledged.`,
  options,
  run: async context => {
    const { values, stage, terminal } = context;
    const nowMs = Date.now();
    const window = windowOf(values.day, values['last-hour'], nowMs);
    const ask = createAsker(context, 'counting the lake').rows;
    const bucket = await findOutput(stage.stackName, 'LakeBucketName', stage.aws).catch(error => {
      throw stage.explain(error);
    });
    const received = await readReceived(stage, window);
    const errors = await readDeliveryErrors(stage, bucket, window);
    const forgotten = await readForgotten(stage, bucket, window);
    const kept = await readKept(ask, window);
    const isKept = await keptAmong([errors, forgotten], ask, window);
    const entries = {
      received,
      kept,
      undelivered: { ...countOf(errors, isKept), unreadable: errors.unreadable },
      forgotten: countOf(forgotten, id => isKept(id) || errors.events.has(id) || errors.failedEvents.has(id)),
    };
    await terminal.write(booksReport(entries, window, nowMs));
    return isShort(balanceOf(entries)) ? 1 : 0;
  },
});

async function readKept(ask: Ask, window: Window): Promise<Kept> {
  const [row = []] = await ask(keptSql(window));
  return keptOf(row);
}

/** A statement may be 256 KB (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html), and an id takes 45. */
const maxIdsPerQuery = 2000;

/** What could not be delivered may have been sent again, and what was being forgotten may be there yet: the lake decides. */
async function keptAmong(places: readonly Elsewhere[], ask: Ask, window: Window): Promise<(id: string) => boolean> {
  const ids = [...new Set(places.flatMap(({ events, failedEvents }) => [...events, ...failedEvents]))];
  const kept = new Set<string | null | undefined>();
  for (let start = 0; start < ids.length; start += maxIdsPerQuery) {
    const rows = await ask(amongSql(ids.slice(start, start + maxIdsPerQuery), window));
    for (const [id] of rows) kept.add(id);
  }
  return id => kept.has(id);
}

/** How many are counted nowhere else. An event of both tables was rejected at first and replayed. */
function countOf({ events, failedEvents }: Elsewhere, isElsewhere: (id: string) => boolean): Away {
  return {
    events: [...events].filter(id => !isElsewhere(id) && !failedEvents.has(id)).length,
    failedEvents: [...failedEvents].filter(id => !isElsewhere(id)).length,
  };
}
