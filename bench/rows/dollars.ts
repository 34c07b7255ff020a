import { billOfMillion, totalOf } from '../bill.ts';
import { counted } from '../measure.ts';
import { atMost, type BenchContext, type Result, type Row } from '../row.ts';
import { countVisits } from '../usage.ts';

/** Row 8: the same app, the same guests, the same prices; only how many events a request holds differs. */
export const dollars: Row = {
  id: 8,
  run: async context => [await against(context, '8a', 10), await against(context, '8b', 50)],
};

/**
 * The peer is this very app with a tracker that sends each event by itself: one request, one invocation, one record an
 * event. It is as well built as ours otherwise, so the quotient is what batching and packing save and nothing else.
 */
async function against({ amount }: BenchContext, id: string, eventsPerRequest: number): Promise<Result> {
  const events = amount(20_000, 5000);
  const ours = totalOf(billOfMillion(await countVisits(eventsPerRequest, events / eventsPerRequest)));
  const single = totalOf(billOfMillion(await countVisits(1, events)));
  const name = `dollars a million events, ${eventsPerRequest} a request ÷ one a request ($${ours.toFixed(2)} ÷ $${single.toFixed(2)})`;
  return { id, name, ...counted(ours / single), target: atMost(1 / 7) };
}
