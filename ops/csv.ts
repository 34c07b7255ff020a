import { CommandError } from './errors.ts';

/** One record of a CSV file. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** The line it begins on, from 1; quoted fields may hold lines of their own. */
  readonly line: number;
  /** What is wrong with its quoting; absent where it is well formed. */
  readonly problem?: string;
}

export const csvDelimiters = [',', ';', '\t', '|'] as const;

// An event is at most 32 KB: a record this long is a lost quote that swallowed the file, and must not swallow memory.
const maxRecordCharacters = 1_000_000;

/**
 * Reads RFC 4180, and what is common beside it: any delimiter, LF or CR alone, quotes inside an unquoted field. Blank
 * lines are skipped. Own code, because the rules are few, and the line numbers and record-wise problems that a report
 * needs are what parsers differ in. Throws CommandError for a record that does not end.
 */
export async function* parseCsv(
  chunks: AsyncIterable<string> | Iterable<string>,
  delimiter: string,
): AsyncGenerator<CsvRecord> {
  const takeRecord = createRecordReader(delimiter);
  let text = '';
  let line = 1;

  function* wholeRecords(isLast: boolean): Generator<CsvRecord> {
    let position = 0;
    while (position < text.length) {
      const record = takeRecord(text, position, isLast);
      if (!record) break;
      if (!record.isBlank) yield recordOf(record, line);
      line += record.lineCount;
      position = record.end;
    }
    text = text.slice(position);
  }

  for await (const chunk of chunks) {
    text += chunk;
    yield* wholeRecords(false);
    if (text.length > maxRecordCharacters) throw endlessRecord(line);
  }
  yield* wholeRecords(true);
}

/** One record as text, CRLF at its end. Null is an empty field and '' is `""`: read back, only the eye tells them apart. */
export function csvLine(cells: readonly (string | null)[], delimiter = ','): string {
  const fields = cells.map(cell => {
    if (cell === null) return '';
    const isPlain = cell !== '' && !cell.includes(delimiter) && !/["\r\n]/.test(cell);
    return isPlain ? cell : `"${cell.replaceAll('"', '""')}"`;
  });
  return `${fields.join(delimiter)}\r\n`;
}

/** The delimiter that cuts the first records of a file into the most fields, the same number each. */
export async function detectDelimiter(sample: string): Promise<string> {
  let best: { delimiter: string; score: number } = { delimiter: ',', score: 0 };
  for (const delimiter of csvDelimiters) {
    const counts: number[] = [];
    for await (const { fields } of parseCsv([sample], delimiter)) {
      counts.push(fields.length);
      if (counts.length === 20) break;
    }
    // The sample may end within a record; a ragged file is still better cut by its own delimiter than not at all.
    const whole = counts.length > 1 ? counts.slice(0, -1) : counts;
    const [header = 1] = whole;
    const score = (header - 1) * (whole.every(count => count === header) ? 100 : 1);
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}

interface TakenRecord {
  readonly fields: string[];
  readonly isBlank: boolean;
  readonly problem: string | undefined;
  readonly lineCount: number;
  /** Where the next record begins. */
  readonly end: number;
}

interface TakenField {
  readonly value: string;
  /** Where its delimiter or line end is, or the end of the text. */
  readonly end: number;
  readonly problem?: string;
}

/** Reads the record at a position; undefined where its end may be in text still to come. */
type RecordReader = (text: string, position: number, isLast: boolean) => TakenRecord | undefined;

function createRecordReader(delimiter: string): RecordReader {
  const takeField = createFieldReader(delimiter);
  return (text, position, isLast) => {
    const fields: string[] = [];
    let problem: string | undefined;
    for (let from = position; ; ) {
      const field = takeField(text, from);
      const terminator = text[field.end];
      // A CR at the end may be half of a CRLF, and a quote there half of an escaped one.
      const isOpen = terminator === undefined || (terminator === '\r' && field.end + 1 === text.length);
      if (isOpen && !isLast) return undefined;
      fields.push(field.value);
      problem ??= field.problem;
      from = field.end + 1;
      if (terminator === delimiter) continue;
      const end = text.startsWith('\r\n', field.end) ? field.end + 2 : from;
      return { fields, isBlank: field.end === position, problem, lineCount: countLines(text, position, end), end };
    }
  };
}

function createFieldReader(delimiter: string): (text: string, position: number) => TakenField {
  const fieldEnd = new RegExp(`[\\r\\n${delimiter.replace(/[\\\]^-]/, '\\$&')}]`, 'g');

  function endOfField(text: string, from: number): number {
    fieldEnd.lastIndex = from;
    return fieldEnd.exec(text)?.index ?? text.length;
  }

  return (text, position) => {
    if (text[position] !== '"') {
      const end = endOfField(text, position);
      return { value: text.slice(position, end), end };
    }
    const closing = closingQuote(text, position + 1);
    if (closing === -1) {
      return { value: text.slice(position + 1), end: text.length, problem: 'a quote is never closed' };
    }
    const value = text.slice(position + 1, closing).replaceAll('""', '"');
    const end = endOfField(text, closing + 1);
    return end === closing + 1 ? { value, end } : { value, end, problem: 'text follows a closing quote' };
  };
}

function closingQuote(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote !== -1 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  return quote;
}

function countLines(text: string, from: number, to: number): number {
  return text.slice(from, to).match(/\r\n|\r|\n/g)?.length ?? 0;
}

function recordOf({ fields, problem }: TakenRecord, line: number): CsvRecord {
  return problem === undefined ? { fields, line } : { fields, line, problem };
}

function endlessRecord(line: number): CommandError {
  return new CommandError(
    `The record that begins on line ${line} does not end within ${maxRecordCharacters} characters. ` +
      'Is a closing quote missing there, or is the delimiter another (--delimiter)?',
  );
}
