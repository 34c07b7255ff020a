import { printable } from '../display-text.ts';
import { formatCount, formatSeconds, plural } from '../units.ts';
import type { Columns } from './columns.ts';
import type { Tally } from './import-rows.ts';

export interface Pace {
  readonly elapsedSeconds: number;
  /** How much of the file has been read, 0 to 1. */
  readonly fraction: number;
}

const barWidth = 20;

/** `█████░░░░░  45 %  10,900 rows  2,170 rows/s  6 s left` */
export function progressLine({ accepted, refused }: Tally, { elapsedSeconds, fraction }: Pace): string {
  const answered = accepted + refused;
  const filled = Math.round(fraction * barWidth);
  return [
    '█'.repeat(filled) + '░'.repeat(barWidth - filled),
    `${Math.floor(fraction * 100)} %`,
    plural(answered, 'row'),
    `${formatCount(answered / Math.max(elapsedSeconds, 0.001))} rows/s`,
    ...(answered > 0 && fraction > 0 ? [`${formatSeconds((elapsedSeconds * (1 - fraction)) / fraction)} left`] : []),
    ...(refused > 0 ? [`${formatCount(refused)} refused`] : []),
  ].join('  ');
}

/** What was done, and what was not and why. `accepted` is the word for a row that went well. */
export function reportOf(tally: Tally, elapsedSeconds: number, accepted: string): string {
  const unanswered = tally.rows - tally.accepted - tally.refused;
  const hidden = tally.refused - tally.reasons.reduce((sum, { count }) => sum + count, 0);
  return [
    `${plural(tally.rows, 'row')} read in ${formatSeconds(elapsedSeconds)}: ` +
      `${formatCount(tally.accepted)} ${accepted}, ${formatCount(tally.refused)} refused` +
      (unanswered > 0 ? `, ${formatCount(unanswered)} not sent or not answered.` : '.'),
    ...tally.reasons.map(({ row, line, reason, count }) => {
      const others = count > 1 ? ` and ${formatCount(count - 1)} more` : '';
      return `  row ${row} (line ${line})${others}: ${printable(reason)}`;
    }),
    ...(hidden > 0 ? [`  ${formatCount(hidden)} more for other reasons`] : []),
    ...(tally.stop === undefined
      ? []
      : [`Stopped before the end of the file: ${printable(tally.stop).replace(/\.$/, '')}.`]),
    ...(unanswered > 0 || tally.stop !== undefined
      ? ['Run the same command again when that is put right: the message ids stay the same, so nothing counts twice.']
      : []),
    '',
  ].join('\n');
}

/** Which column becomes what, for `--dry-run`. */
export function describeColumns(columns: Columns, header: readonly string[], delimiter: string): string {
  const named = (index: number) => header[index]?.trim() || `column_${index + 1}`;
  const optional = (index: number | undefined) => (index === undefined ? '–' : named(index));
  const name = columns.name && ('literal' in columns.name ? `"${columns.name.literal}"` : named(columns.name.column));
  return [
    `delimiter     ${JSON.stringify(delimiter)}`,
    `event         ${columns.type}, named ${name ?? '–'}`,
    `anonymousId   ${optional(columns.anonymousId)}`,
    `userId        ${optional(columns.userId)}`,
    `time          ${columns.time.map(named).join(' ')}`,
    `properties    ${columns.properties.map(({ name, column }) => propertyText(name, named(column))).join(', ') || '–'}`,
    `not imported  ${columns.unused.join(', ') || '–'}`,
  ].join('\n');
}

const propertyText = (name: string, column: string): string => (name === column ? name : `${name}=${column}`);
