import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { TextDecoder } from 'node:util';
import { type CsvRecord, detectDelimiter, parseCsv } from '../csv.ts';
import { CommandError, codeOf, reasonOf, UsageError } from '../errors.ts';

/** A CSV file that is being read. */
export interface CsvSource {
  /** SHA-256 of its bytes, in hex. */
  readonly contentHash: string;
  readonly sizeBytes: number;
  /** How much of it has been read by now. */
  readonly bytesRead: () => number;
  readonly delimiter: string;
  readonly header: readonly string[];
  /** The rows after the header; to be read once. */
  readonly rows: AsyncGenerator<CsvRecord>;
}

export interface CsvSourceOptions {
  /** Undefined: found out from the beginning of the file. */
  readonly delimiter: string | undefined;
  /** A label of the Encoding Standard, `utf-8` or `windows-1252`. A byte-order mark is skipped. */
  readonly encoding: string;
  /** Ends the reading before the first row; whoever reads the rows ends that. */
  readonly signal: AbortSignal;
}

/** Throws CommandError for a file that cannot be read or has no header, UsageError for an unknown encoding. */
export async function openCsvSource(file: string, options: CsvSourceOptions): Promise<CsvSource> {
  const decoder = createDecoder(options.encoding);
  try {
    const { size } = await stat(file);
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash, { signal: options.signal });
    const bytes = createReadStream(file);
    const chunks = decoded(bytes, decoder, file);
    const { value: firstChunk = '' } = await chunks.next();
    const delimiter = options.delimiter ?? (await detectDelimiter(firstChunk));
    const rows = parseCsv(prepended(firstChunk, chunks), delimiter);
    const { value: header } = await rows.next();
    if (!header) throw new CommandError(`${file} is empty.`);
    if (header.problem) throw new CommandError(`The header of ${file} cannot be read: ${header.problem}.`);
    return {
      contentHash: hash.digest('hex'),
      sizeBytes: size,
      bytesRead: () => bytes.bytesRead,
      delimiter,
      header: header.fields,
      rows,
    };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new CommandError(`There is no file ${file}.`, { cause: error });
    if (codeOf(error) === 'EISDIR') throw new CommandError(`${file} is a folder.`, { cause: error });
    if (codeOf(error) === 'EACCES')
      throw new CommandError(`${file} may not be read: ${reasonOf(error)}`, { cause: error });
    throw error;
  }
}

/** `tab` and `\t` for what a shell makes hard to type. Throws UsageError for what cannot delimit. */
export function delimiterOf(given: string | undefined): string | undefined {
  if (given === 'tab' || given === '\\t') return '\t';
  if (given !== undefined && (given.length !== 1 || /["\r\n]/.test(given))) {
    throw new UsageError('--delimiter is one character, or "tab".');
  }
  return given;
}

function createDecoder(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (error) {
    throw new UsageError(`There is no encoding "${encoding}"; utf-8, utf-16le and windows-1252 are common ones.`, {
      cause: error,
    });
  }
}

async function* decoded(bytes: AsyncIterable<Buffer>, decoder: TextDecoder, file: string): AsyncGenerator<string> {
  try {
    for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CommandError(`${file} is not ${decoder.encoding} text. Say what it is: --encoding windows-1252, say.`, {
      cause: error,
    });
  }
}

async function* prepended(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}
