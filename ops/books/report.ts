import { formatCount, plural } from '../units.ts';
import { type Balance, balanceOf, type Entries, isShort } from './balance.ts';
import type { Window } from './window.ts';

/** Delivery and metrics both lag: Firehose gathers up to 5 minutes, CloudWatch shows a metric some minutes later. */
const settledAfterMs = 10 * 60_000;

/** The books as a person reads them. */
export function booksReport(entries: Entries, window: Window, nowMs: number): string {
  const balance = balanceOf(entries);
  const { kept, undelivered, received } = entries;
  const rows: readonly (readonly [string, number, string])[] = [
    ['received', balance.received, 'events in requests that were answered 200'],
    [
      'stored',
      balance.stored,
      `in events${kept.replayed > 0 ? `, ${formatCount(kept.replayed)} of them by a replay` : ''}`,
    ],
    ['failed', balance.failed, 'in failed_events, and not replayed'],
    ['delivery errors', balance.undelivered, 'under delivery-errors/, and nowhere else'],
    ['forgotten', balance.forgotten, 'removed by ops forget'],
    ['unacknowledged', received.unacknowledged, 'in requests that were answered 503: may be stored all the same'],
    ['duplicates', kept.duplicates, 'rows of events beyond the first of each event_id'],
  ];
  const width = Math.max(...rows.map(([, count]) => formatCount(count).length));
  return [
    `Books of ${window.name}`,
    '',
    ...rows.map(([name, count, what]) => `${name.padEnd(17)}${formatCount(count).padStart(width)}  ${what}`),
    '',
    ...verdict(balance, received.unacknowledged),
    ...(undelivered.unreadable > 0
      ? [
          `Beside these, ${plural(undelivered.unreadable, 'document')} under delivery-errors/ that collect did not write.`,
        ]
      : []),
    ...(isShort(balance) && nowMs - window.toMs < settledAfterMs
      ? ['Some may be on their way: Firehose gathers, and the time asked for has only just ended. Ask again.']
      : []),
    '',
  ].join('\n');
}

function verdict(balance: Balance, unacknowledged: number): string[] {
  const { missingEvents, missingFailedEvents, surplus } = balance;
  if (isShort(balance)) {
    return [
      'Not balanced: the books fall short.',
      ...(missingEvents > 0
        ? [`  ${plural(missingEvents, 'accepted event')} missing between the stream and events.`]
        : []),
      ...(missingFailedEvents > 0
        ? [`  ${plural(missingFailedEvents, 'rejected event')} missing between the delivery stream and failed_events.`]
        : []),
    ];
  }
  if (surplus > unacknowledged) {
    const uncounted = formatCount(surplus - unacknowledged);
    return [
      `Balanced, and ${uncounted} more than was counted: stored by a function that ended before it counted them,`,
      'put on the stream by somebody else, or not in CloudWatch yet.',
    ];
  }
  const extra = surplus > 0 ? `, with ${formatCount(surplus)} of the unacknowledged stored as well` : '';
  return [`Balanced: received = stored + failed + delivery errors + forgotten${extra}.`];
}
