import { isNumeric, type ResultColumn, type ResultFormat, type ResultRow } from './result.ts';

/** An array of objects, one a line. Columns of the same name are told apart as `name`, `name_2`. */
export function createJsonFormat(): ResultFormat {
  let isFirst = true;
  return {
    page: ({ columns, rows }) => {
      const names = distinctNames(columns);
      return rows
        .map(row => {
          const separator = isFirst ? '[\n' : ',\n';
          isFirst = false;
          return separator + objectOf(columns, names, row);
        })
        .join('');
    },
    end: () => (isFirst ? '[]\n' : '\n]\n'),
  };
}

/** Written by hand because an object would put names such as `1` before the others. */
function objectOf(columns: readonly ResultColumn[], names: readonly string[], row: ResultRow): string {
  const members = columns.map((column, index) => {
    const value = jsonValue(column, row[index] ?? null);
    return `${JSON.stringify(names[index])}:${JSON.stringify(value)}`;
  });
  return `  {${members.join(',')}}`;
}

function jsonValue(column: ResultColumn, text: string | null): string | number | boolean | null {
  if (text === null) return null;
  if (column.type === 'boolean') return text === 'true';
  return isNumeric(column) && isExactNumber(column, text) ? Number(text) : text;
}

/** A bigint or decimal that a double would round stays text, as do NaN and Infinity, which JSON cannot say. */
function isExactNumber({ type }: ResultColumn, text: string): boolean {
  if (/^(float|real|double)/.test(type)) return Number.isFinite(Number(text));
  // Every decimal of 15 digits comes back from a double unchanged (DBL_DIG).
  return text.includes('.') ? text.replace(/\D/g, '').length <= 15 : Number.isSafeInteger(Number(text));
}

function distinctNames(columns: readonly ResultColumn[]): string[] {
  const taken = new Set<string>();
  return columns.map(({ name }) => {
    let distinct = name;
    for (let copy = 2; taken.has(distinct); copy += 1) distinct = `${name}_${copy}`;
    taken.add(distinct);
    return distinct;
  });
}
