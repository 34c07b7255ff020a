/** A text as an SQL literal. */
export const textLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Epoch milliseconds as an SQL timestamp, UTC. */
export const timestampLiteral = (ms: number): string =>
  `timestamp '${new Date(ms).toISOString().slice(0, 23).replace('T', ' ')}'`;

/** The day, UTC, of epoch milliseconds as the partition `day` has it. */
export const dayLiteral = (ms: number): string => `'${new Date(ms).toISOString().slice(0, 10)}'`;
