import { isMet, type Result } from './row.ts';

const signs = { 'at least': '≥', 'at most': '≤' } as const;

/** The results for a machine: `[{id, name, ratio, target, met, spread}]`. */
export function jsonOf(results: readonly Result[]): string {
  const lines = results.map(({ id, name, median, spread, ...rest }) => ({
    id,
    name,
    ratio: round(median, 4),
    target: targetOf(rest),
    met: isMet({ median, ...rest }),
    spread: round(spread, 4),
  }));
  return JSON.stringify(lines, undefined, 2);
}

/** The results for people, as a Markdown table. */
export function tableOf(results: readonly Result[]): string {
  const lines = results.map(result => [
    result.id,
    result.name,
    figureText(result.median, result.unit),
    targetOf(result),
    isMet(result) ? 'yes' : 'NO',
    result.spread === 0 ? 'counted' : `${round(result.spread * 100, 1)} %`,
  ]);
  return markdownTable(['row', 'what', 'figure', 'target', 'met', 'spread'], lines);
}

/** A Markdown table whose columns line up in plain text too. */
export function markdownTable(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(...[header, ...lines].map(line => line[column]?.length ?? 0), title.length),
  );
  const lineOf = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|\n`;
  return lineOf(header) + rule + lines.map(lineOf).join('');
}

function targetOf({ target, unit }: Pick<Result, 'target' | 'unit'>): string {
  return `${signs[target.kind]} ${figureText(target.value, unit)}`;
}

function figureText(value: number, unit: string | undefined): string {
  if (unit === undefined) return String(round(value, 3));
  return `${round(value, 1).toLocaleString('en-US')} ${unit}`;
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
