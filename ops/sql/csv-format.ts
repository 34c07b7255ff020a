import { csvLine } from '../csv.ts';
import type { ResultFormat } from './result.ts';

/** RFC 4180, with a header. NULL is an empty field and '' is `""`, as in Athena's own result files. */
export function createCsvFormat(): ResultFormat {
  let isFirst = true;
  return {
    page: ({ columns, rows }) => {
      const header = isFirst && columns.length > 0 ? csvLine(columns.map(column => column.name)) : '';
      isFirst = false;
      return header + rows.map(row => csvLine(row)).join('');
    },
    end: () => '',
  };
}
