/** A column of a query's result, with its Athena type: `varchar`, `bigint`, `timestamp` … */
export interface ResultColumn {
  readonly name: string;
  readonly type: string;
}

/** One row; null is SQL's NULL, which Athena keeps apart from ''. */
export type ResultRow = readonly (string | null)[];

/** Part of a result. Every page repeats the columns; a result has at least one page, if an empty one. */
export interface ResultPage {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly ResultRow[];
}

/** A way to write a result: the text of each page in turn, then what comes after the last. */
export interface ResultFormat {
  readonly page: (page: ResultPage) => string;
  readonly end: () => string;
}

const numericType = /^(tinyint|smallint|int|integer|bigint|float|real|double|decimal)\b/;

export const isNumeric = ({ type }: ResultColumn): boolean => numericType.test(type);
