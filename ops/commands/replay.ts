import { createClickstreamSink } from '../../src/lib/aws/clickstream-sink.ts';
import { createDeviceReader } from '../../src/lib/clickstream/device.ts';
import { systemClock } from '../../src/lib/runtime/clock.ts';
import { type CommandContext, defineCommand, type OptionTable } from '../command.ts';
import { UsageError } from '../errors.ts';
import { suggestion } from '../nearest.ts';
import { type FailedFilter, failedEventsSql, failedRowsOf, kindsSql } from '../replay/failed-rows.ts';
import { type ReplayTally, replayRows } from '../replay/replay-rows.ts';
import { replayProgress, replayReport } from '../replay/report.ts';
import { parseSince } from '../since.ts';
import { type Asker, createAsker, timeoutOption } from '../sql/ask.ts';
import type { ResultPage } from '../sql/result.ts';

const options = {
  since: {
    kind: 'text',
    placeholder: 'WHEN',
    help: 'only what was received since: 24h, 7d, 2026-11-20, 2026-11-20T10:00Z',
  },
  reason: {
    kind: 'text',
    placeholder: 'CODE',
    multiple: true,
    help: 'only what failed for it: the column code; may be repeated',
  },
  source: {
    kind: 'text',
    placeholder: 'NAME',
    multiple: true,
    help: 'only what came with its write key; may be repeated',
  },
  limit: { kind: 'count', placeholder: 'N', help: 'take only the N oldest' },
  'dry-run': { kind: 'flag', help: 'tell what would pass and why the rest would not, store nothing' },
  ...timeoutOption,
} as const satisfies OptionTable;

type Context = CommandContext<typeof options>;

export const command = defineCommand({
  name: 'replay',
  summary: 'Stores the failed events that pass today’s rules',
  usage: `
npm run ops -- replay failed-events --dry-run
npm run ops -- replay failed-events --since 7d --reason invalid-timestamp --source website

Every event in failed_events that is not stored yet goes through the rules of this checkout, as in the request it
came in; what passes goes to the stream. Check out what is deployed. A replay that was interrupted, or is run again,
stores nothing twice in events_unique. Rows stay in failed_events; the books count a replayed event as stored.
Exits 0 also where some still fail, 1 where the stream did not take them all.`,
  options,
  run: async context => {
    const { values, positionals, stage, terminal } = context;
    requireSubject(positionals);
    const sinceMs = values.since === undefined ? undefined : parseSince(values.since, Date.now());
    const filter = { sinceMs, codes: values.reason, sources: values.source };
    const ask = createAsker(context, 'looking for failed events');
    await requireKnown(filter, ask);
    const isDryRun = values['dry-run'];
    const { region, endpoint, credentials } = stage.aws;
    const access = { ...(region && { region }), ...(endpoint && { endpoint }), ...(credentials && { credentials }) };
    const tally = await replayRows({
      pages: rowsOf(ask.pages(failedEventsSql(filter, values.limit))),
      sink: isDryRun ? undefined : createClickstreamSink(stage.streamName, access),
      clock: systemClock,
      deviceOf: createDeviceReader(),
      signal: terminal.signal,
      onTally: newest => terminal.progress(replayProgress(newest)),
    }).catch(error => {
      throw stage.explain(error);
    });
    return finish(tally, isDryRun, context);
  },
});

function requireSubject(positionals: readonly string[]): void {
  const [subject, ...more] = positionals;
  if (subject === 'failed-events' && more.length === 0) return;
  const given = subject === undefined ? '' : ` Not "${[subject, ...more].join(' ')}".`;
  throw new UsageError(`Say what to replay: replay failed-events.${given}`);
}

/** A reason or source that no failed event has is a slip of the pen: names those there are. */
async function requireKnown({ sinceMs, codes, sources }: FailedFilter, ask: Asker): Promise<void> {
  if (codes.length === 0 && sources.length === 0) return;
  const rows = await ask.rows(kindsSql({ sinceMs }));
  const known = (column: number) => [...new Set(rows.map(row => row[column] ?? ''))].sort();
  requireAll('reason', codes, known(0));
  requireAll('source', sources, known(1));
}

function requireAll(name: string, wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.find(value => !known.includes(value));
  if (unknown === undefined) return;
  const there = known.length === 0 ? 'There are no failed events.' : `There are ${known.join(', ')}.`;
  throw new UsageError(`No failed event has the ${name} "${unknown}".${suggestion(unknown, known)} ${there}`);
}

async function* rowsOf(pages: AsyncIterable<ResultPage>) {
  for await (const page of pages) yield failedRowsOf(page);
}

async function finish(tally: ReplayTally, isDryRun: boolean, { stage, terminal }: Context): Promise<number> {
  const stop = tally.stop === undefined ? undefined : sentenceOf(tally.stop, stage);
  await terminal.write(replayReport(tally, { isDryRun, stop }));
  return stop === undefined ? 0 : 1;
}

/** Why the stream refused a record: the error of a call, or the ErrorCode and ErrorMessage of one entry. */
function sentenceOf(cause: unknown, { explain }: Context['stage']): string {
  return cause instanceof Error ? explain(cause).message : `The stream refused a record: ${JSON.stringify(cause)}`;
}
