import { printable } from '../display-text.ts';
import { formatCount, plural } from '../units.ts';
import type { ReplayTally } from './replay-rows.ts';

/** `1,200 failed events  900 pass  500 stored` */
export const replayProgress = ({ read, passed, stored }: ReplayTally): string =>
  `${plural(read, 'failed event')}  ${formatCount(passed)} pass  ${formatCount(stored)} stored`;

/** What was stored and what was not and why. */
export function replayReport(tally: ReplayTally, end: { isDryRun: boolean; stop: string | undefined }): string {
  const { read, passed, duplicates, stored, failing } = tally;
  if (read === 0) return 'Nothing to replay: no failed event that matches is still to be stored.\n';
  const done = end.isDryRun ? `${formatCount(passed)} would pass` : `${formatCount(stored)} stored`;
  const stillFailing = failing.reduce((sum, { count }) => sum + count, 0);
  const isUnfinished = !end.isDryRun && stored < passed;
  return [
    `${plural(read, 'failed event')}: ${done}, ${formatCount(stillFailing)} ${end.isDryRun ? 'would fail again' : 'failed again'}.`,
    ...(duplicates > 0 ? [`  ${formatCount(duplicates)} more pass, but their tracker sent them twice.`] : []),
    ...failing.map(({ code, reason, count }) => `  ${formatCount(count)} ${printable(code)}: ${printable(reason)}`),
    ...(end.stop === undefined ? [] : [`Stopped before the end: ${printable(end.stop).replace(/\.$/, '')}.`]),
    ...(isUnfinished ? ['Run the same command again when that is put right: nothing is stored twice.'] : []),
    '',
  ].join('\n');
}
