import { nothingAnswers } from '../aws-errors.ts';
import { type CommandContext, defineCommand, type OptionTable } from '../command.ts';
import { CommandError, codeOf, reasonOf, UsageError } from '../errors.ts';
import { type Columns, eventTypes, resolveColumns } from '../import/columns.ts';
import { createMessageIds, createRowMapper } from '../import/events.ts';
import { importRows, type Tally } from '../import/import-rows.ts';
import { describeColumns, progressLine, reportOf } from '../import/report.ts';
import { createSender, type Sender } from '../import/sender.ts';
import { type CsvSource, delimiterOf, openCsvSource } from '../import/source.ts';
import { createTimeReader, dateOrders } from '../import/times.ts';

const options = {
  type: {
    kind: 'text',
    placeholder: eventTypes.join('|'),
    choices: eventTypes,
    default: 'page',
    help: 'what each row is',
  },
  'anonymous-id': { kind: 'text', placeholder: 'COLUMN', help: 'the visitor or session' },
  'user-id': { kind: 'text', placeholder: 'COLUMN', help: 'the known visitor' },
  'event-name': { kind: 'text', placeholder: 'COLUMN', help: 'name of the page, screen or tracked event' },
  event: { kind: 'text', placeholder: 'NAME', help: 'the same name for every row' },
  time: {
    kind: 'text',
    placeholder: 'COLUMN',
    multiple: true,
    help: 'when it happened; "Date Time" or the option twice for two columns',
  },
  'time-zone': {
    kind: 'text',
    placeholder: 'ZONE',
    default: 'UTC',
    help: 'zone of times that do not say theirs, as Europe/Paris',
  },
  'date-order': {
    kind: 'text',
    placeholder: dateOrders.join('|'),
    choices: dateOrders,
    default: 'ymd',
    help: 'how dates are written',
  },
  property: {
    kind: 'text',
    placeholder: 'NAME=COLUMN',
    multiple: true,
    help: 'a property (a trait of identify) under a name of your own',
  },
  properties: {
    kind: 'text',
    placeholder: 'all|none',
    choices: ['all', 'none'],
    default: 'all',
    help: 'whether the other columns become properties',
  },
  delimiter: { kind: 'text', placeholder: 'CHARACTER', help: 'or "tab"; else it is found out' },
  encoding: { kind: 'text', placeholder: 'LABEL', default: 'utf-8', help: 'windows-1252, utf-16le …' },
  'message-id-prefix': {
    kind: 'text',
    placeholder: 'TEXT',
    default: 'csv-',
    help: 'another one imports the same file anew',
  },
  'write-key': { kind: 'text', placeholder: 'KEY', help: 'as trackers have it (local stage: wk_local)' },
  limit: { kind: 'count', placeholder: 'N', help: 'import only the first N rows' },
  concurrency: { kind: 'count', placeholder: 'N', default: 4, help: 'batches on their way at a time' },
  'timeout-seconds': {
    kind: 'count',
    placeholder: 'N',
    default: 180,
    help: 'give up when a batch has no answer for so long',
  },
  'dry-run': { kind: 'flag', help: 'read the whole file, show the first events, send nothing' },
} as const satisfies OptionTable;

type Context = CommandContext<typeof options>;

export const command = defineCommand({
  name: 'import-csv',
  summary: 'Brings history of your own: each row of a CSV file becomes an event',
  usage: `
npm run ops -- import-csv visits.csv --anonymous-id COOKIE --event-name Webpage --time "Date Time"
npm run ops -- import-csv sales.csv --type track --event "Dish sold" --user-id guest --time sold_at
                          --time-zone Europe/Paris --property price="Unit price" --dry-run

The rows go through the public API and the real Segment SDK, like any tracker's. Message ids are made of the
file's content and the row's number: a file imported twice counts once in events_unique.`,
  options,
  run: async context => {
    const { values, positionals, terminal } = context;
    const [file, another] = positionals;
    if (file === undefined || another !== undefined) throw new UsageError('Say which file: import-csv FILE, just one.');
    if (values.concurrency < 1) throw new UsageError('--concurrency is at least 1.');
    const readTime = createTimeReader(values['time-zone'], values['date-order']);
    const source = await openCsvSource(file, {
      delimiter: delimiterOf(values.delimiter),
      encoding: values.encoding,
      signal: terminal.signal,
    });
    const columns = resolveColumns(source.header, values);
    const messageIds = createMessageIds(values['message-id-prefix'], source.contentHash, values.type);
    const progress = createProgress(context, source);
    const senders = values['dry-run']
      ? [createDryRun(context, source, columns)]
      : await createSenders(context, progress);
    const importing = importRows({
      rows: source.rows,
      mapRow: createRowMapper(columns, readTime, messageIds),
      senders,
      maxRows: values.limit ?? Infinity,
      signal: terminal.signal,
      onTally: progress.onTally,
    });
    const tally = await progress.during(importing);
    await terminal.write(reportOf(tally, progress.elapsedSeconds(), values['dry-run'] ? 'could be sent' : 'accepted'));
    return tally.accepted === tally.rows && tally.stop === undefined ? 0 : 1;
  },
});

async function createSenders({ values, stage, terminal }: Context, { onProblem }: Progress): Promise<Sender[]> {
  const writeKey = values['write-key'] ?? (stage.isLocal ? 'wk_local' : undefined);
  if (writeKey === undefined)
    throw new UsageError(`Say with which write key: --write-key, one of the stage ${stage.name}.`);
  const apiUrl = await stage.apiUrl();
  await fetch(apiUrl, { signal: AbortSignal.any([terminal.signal, AbortSignal.timeout(10_000)]) }).catch(error => {
    if (stage.isLocal && codeOf(error) === 'ECONNREFUSED') throw nothingAnswers(values.port, '--port');
    throw new CommandError(`${apiUrl} does not answer: ${reasonOf(error)}.`, { cause: error });
  });
  const sender = { apiUrl, writeKey, timeoutSeconds: values['timeout-seconds'], signal: terminal.signal, onProblem };
  return Array.from({ length: values.concurrency }, () => createSender(sender));
}

/** Takes events for sent, and shows the first few. */
function createDryRun({ terminal }: Context, source: CsvSource, columns: Columns): Sender {
  let shown = 0;
  terminal.say(describeColumns(columns, source.header, source.delimiter));
  return async batch => {
    const first = batch.slice(0, Math.max(0, 3 - shown));
    shown += first.length;
    for (const { row, line, bytes, ...event } of first) await terminal.write(`${JSON.stringify(event, null, 2)}\n`);
    return { acceptedCount: batch.length, refusals: [] };
  };
}

interface Progress {
  readonly onTally: (tally: Tally) => void;
  readonly onProblem: (problem: string) => void;
  readonly elapsedSeconds: () => number;
  /** Redraws by the clock as well while the work goes on: in an outage nothing else happens for a while. */
  readonly during: <Result>(work: Promise<Result>) => Promise<Result>;
}

function createProgress({ terminal }: Context, source: CsvSource): Progress {
  const startedAt = performance.now();
  const elapsedSeconds = () => (performance.now() - startedAt) / 1000;
  let tally: Tally = { rows: 0, accepted: 0, refused: 0, reasons: [], stop: undefined };
  let problem = '';
  const draw = () => {
    const fraction = source.sizeBytes === 0 ? 1 : source.bytesRead() / source.sizeBytes;
    terminal.progress(progressLine(tally, { elapsedSeconds: elapsedSeconds(), fraction }) + problem);
  };
  return {
    onTally: newest => {
      tally = newest;
      problem = '';
      draw();
    },
    onProblem: newest => {
      problem = `  trying again: ${newest}`;
    },
    elapsedSeconds,
    during: work => {
      const timer = setInterval(draw, 250);
      return work.finally(() => clearInterval(timer));
    },
  };
}
