import type { Table } from './contract.ts';
import { eventTable } from './event.ts';
import { failedEventTable } from './failed-event.ts';

/** docs/events.md, from the contract. A test compares them; `npx vitest run --project unit contract -u` writes it. */
export function eventsMarkdown(): string {
  return `# What the lake holds

Written from \`src/lib/clickstream/event.ts\` and \`failed-event.ts\`: change those, not this page.

Every column is null where the tracker did not tell. Timestamps are UTC, to the millisecond. Both tables have a partition
\`day\` besides, the day of receipt as \`2026-11-20\`: name it in every query, and only that day is read (and paid for).

## \`events\`: one row a stored event

A tracker that is not sure of an answer sends again, so one event can have several rows: the view \`events_unique\` has the
same columns and keeps the first of each \`(day, event_id)\`.

${tableOf(eventTable)}

## \`failed_events\`: one row a rejected event

${tableOf(failedEventTable)}
`;
}

function tableOf(table: Table): string {
  const rows = Object.entries(table).map(
    ([name, { type, required, description, example }]) =>
      `| \`${name}\` | ${type} | ${required ? 'always' : ''} | ${description} | \`${String(example).replaceAll('|', '\\|')}\` |`,
  );
  return ['| column | type | present | meaning | example |', '|---|---|---|---|---|', ...rows].join('\n');
}
