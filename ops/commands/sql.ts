import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';
import { type Athena, createAthena } from '../sql/athena.ts';
import { createCsvFormat } from '../sql/csv-format.ts';
import { createJsonFormat } from '../sql/json-format.ts';
import type { ResultFormat } from '../sql/result.ts';
import { type FinishedQuery, runQuery } from '../sql/run-query.ts';
import { createTableFormat } from '../sql/table-format.ts';
import type { Terminal } from '../terminal.ts';
import { formatBytes, formatSeconds, plural } from '../units.ts';

export const command = defineCommand({
  name: 'sql',
  summary: 'Asks the lake a question in Athena SQL',
  usage: `
npm run ops -- sql "select name, count(*) from events group by 1"
npm run -s ops -- sql --format csv "select * from events_unique" > events.csv
npm run ops -- sql - < question.sql

Tables: events, failed_events, and the view events_unique, which has each event once. A condition on \`day\`
(day = '2026-11-20') keeps the scan, which AWS bills, to the days that matter. Ctrl-C stops the query.`,
  options: {
    format: {
      kind: 'text',
      placeholder: 'table|csv|json',
      choices: ['table', 'csv', 'json'],
      default: 'table',
      help: 'how the rows are written',
    },
    'max-rows': { kind: 'count', placeholder: 'N', help: 'write no more rows than this' },
    'timeout-seconds': { kind: 'count', placeholder: 'N', default: 300, help: 'stop a query that takes longer' },
  },
  run: async ({ values, positionals, stage, terminal }) => {
    const sql = await readSql(positionals, terminal);
    const athena = createAthena(stage);
    const startedAt = performance.now();
    const query = await runQuery(athena, sql, {
      timeoutSeconds: values['timeout-seconds'],
      signal: terminal.signal,
      onStatus: ({ state, bytesScanned }, elapsedMs) =>
        terminal.progress(`${state.toLowerCase()}  ${seconds(elapsedMs)}  ${formatBytes(bytesScanned)} scanned`),
    });
    const format = formats[values.format](terminal);
    const rowCount = await writeRows(athena, query, format, values['max-rows'] ?? Infinity, terminal);
    const scanned = formatBytes(query.status.bytesScanned);
    terminal.say(`${plural(rowCount, 'row')} · ${seconds(performance.now() - startedAt)} · ${scanned} scanned`);
    return 0;
  },
});

const formats: Record<'table' | 'csv' | 'json', (terminal: Terminal) => ResultFormat> = {
  table: createTableFormat,
  csv: createCsvFormat,
  json: createJsonFormat,
};

const seconds = (milliseconds: number): string => formatSeconds(milliseconds / 1000);

async function readSql(positionals: readonly string[], { stdin, signal }: Terminal): Promise<string> {
  if (positionals.length > 1) throw new UsageError('Put the SQL in quotes: sql "select …".');
  const isPiped = positionals[0] === '-' || (positionals[0] === undefined && !stdin.isTTY);
  // Athena takes one statement, and wants no semicolon after it.
  const sql = (isPiped ? await text(addAbortSignal(signal, stdin)) : (positionals[0] ?? ''))
    .trim()
    .replace(/[;\s]+$/, '');
  if (sql === '') throw new UsageError('Say what to ask: sql "select count(*) from events".');
  return sql;
}

async function writeRows(
  athena: Athena,
  { queryId, status }: FinishedQuery,
  format: ResultFormat,
  maxRows: number,
  { write, signal }: Terminal,
): Promise<number> {
  let rowCount = 0;
  for await (const { columns, rows } of athena.results(queryId, status)) {
    signal.throwIfAborted();
    const wanted = rows.slice(0, maxRows - rowCount);
    rowCount += wanted.length;
    await write(format.page({ columns, rows: wanted }));
    if (rowCount >= maxRows) break;
  }
  await write(format.end());
  return rowCount;
}
