import { displayWidth, printable, truncated } from '../display-text.ts';
import { isNumeric, type ResultColumn, type ResultFormat, type ResultPage } from './result.ts';

export interface TableOptions {
  /** Columns of the terminal; undefined: the table goes to a pipe or file, and nothing is cut. */
  readonly width: number | undefined;
  readonly isStyled: boolean;
}

const gap = '  ';
const minColumnWidth = 6;

/** A table for the eye. The first page decides the widths, so that a long result need not be held in memory. */
export function createTableFormat(options: TableOptions): ResultFormat {
  const style = (code: number, text: string) => (options.isStyled ? `\x1b[${code}m${text}\x1b[0m` : text);
  let widths: readonly number[] | undefined;

  function line(columns: readonly ResultColumn[], cells: readonly (string | null)[], code?: number): string {
    const last = columns.length - 1;
    const texts = columns.map((column, index) => {
      const width = widths?.[index] ?? 0;
      const cell = cells[index] ?? null;
      const text = printable(cell ?? 'NULL');
      const shown = options.width === undefined ? text : truncated(text, width);
      const padding = ' '.repeat(Math.max(0, width - displayWidth(shown)));
      const styled = code === undefined ? (cell === null ? style(2, shown) : shown) : style(code, shown);
      if (isNumeric(column)) return padding + styled;
      return index === last ? styled : styled + padding;
    });
    return `${texts.join(gap)}\n`;
  }

  return {
    page: page => {
      const isFirst = widths === undefined;
      widths ??= fitted(naturalWidths(page), options.width);
      const body = page.rows.map(row => line(page.columns, row)).join('');
      if (!isFirst || page.columns.length === 0) return body;
      const names = page.columns.map(column => column.name);
      return `${line(page.columns, names, 1)}${widths.map(width => '─'.repeat(width)).join(gap)}\n${body}`;
    },
    end: () => '',
  };
}

function naturalWidths({ columns, rows }: ResultPage): number[] {
  return columns.map((column, index) => {
    const cells = rows.map(row => displayWidth(printable(row[index] ?? 'NULL')));
    return cells.reduce((widest, width) => Math.max(widest, width), displayWidth(printable(column.name)));
  });
}

/** Takes from the widest columns what does not fit, so that narrow ones stay whole. */
function fitted(natural: readonly number[], available: number | undefined): number[] {
  const widths = [...natural];
  if (available === undefined) return widths;
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - available;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= minColumnWidth) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}
