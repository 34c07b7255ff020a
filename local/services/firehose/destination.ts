import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { StreamRecord } from '../kinesis/kinesis.ts';
import type { FirehoseDependencies } from './firehose.ts';

/** ExtendedS3DestinationConfiguration as far as it is honoured. */
export interface Destination {
  readonly BucketARN: string;
  readonly Prefix?: string;
  readonly ErrorOutputPrefix?: string;
  readonly FileExtension?: string;
  readonly CompressionFormat?: string;
  readonly BufferingHints?: { readonly SizeInMBs?: number; readonly IntervalInSeconds?: number };
  readonly ProcessingConfiguration?: { readonly Processors?: readonly { readonly Type: string }[] };
  readonly DataFormatConversionConfiguration?: {
    readonly Enabled?: boolean;
    readonly SchemaConfiguration: { readonly DatabaseName: string; readonly TableName: string };
    readonly OutputFormatConfiguration: { readonly Serializer: { readonly ParquetSerDe: { Compression?: string } } };
  };
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** How a stream writes records: as one object, those that do not convert as another. `file` is its place to work in. */
export function createWriter(name: string, file: string, to: Destination, { s3, glue, duckdb }: FirehoseDependencies) {
  const { Prefix = '', ErrorOutputPrefix = Prefix, FileExtension, DataFormatConversionConfiguration: format } = to;
  const conversion = format?.Enabled === false ? undefined : format;
  const { DatabaseName: databaseName = '', TableName: tableName = '' } = conversion?.SchemaConfiguration ?? {};
  const compression = conversion?.OutputFormatConfiguration.Serializer.ParquetSerDe.Compression ?? 'SNAPPY';
  const bucket = to.BucketARN.replace('arn:aws:s3:::', '');
  const zipped = to.CompressionFormat === 'GZIP';
  const extension = FileExtension ?? (conversion ? '.parquet' : zipped ? '.gz' : '');
  const delimited = to.ProcessingConfiguration?.Processors?.some(({ Type }) => Type === 'AppendDelimiterToRecord');

  /** Writes all documents of all records to `file`, or answers why DuckDB, which knows Hive’s types, refuses. */
  async function refusal(records: readonly StreamRecord[]): Promise<string | undefined> {
    // DuckDB would take a bare `null` for a row, or be misled by it in what follows.
    const isObject = ({ data }: StreamRecord) => /^\s*\{/.test(data.toString('latin1', 0, 80));
    if (!records.every(isObject)) return 'Malformed JSON: a record must hold JSON objects';
    const columns = glue.table(databaseName, tableName)?.columns;
    if (!columns) throw new Error(`there is no Glue table ${databaseName}.${tableName}`);
    const schema = columns.map(({ name, type }) => `${quoted(name)}: ${quoted(type)}`);
    // `unstructured` takes what OpenX does: documents a line each, side by side or over several lines, but no arrays.
    const rows = `read_json(${quoted(`${file}.json`)}, format = 'unstructured', columns = {${schema}})`;
    await writeFile(`${file}.json`, Buffer.concat(records.flatMap(({ data }) => [data, Buffer.from('\n')])));
    const copy = duckdb.run(`COPY (FROM ${rows}) TO ${quoted(file)} (FORMAT parquet, COMPRESSION ${compression})`);
    const error = await copy.catch((caught: unknown) => caught);
    const [, reason] = /^EngineError: (?:Invalid Input|Conversion) Error: (.*)/.exec(String(error)) ?? [];
    if (error !== undefined && reason === undefined) throw error;
    return reason?.replace(/ in file "[^"]*"/, '');
  }

  /** Converts what converts. The records at fault are found by halving; several may be, that convert only apart. */
  async function convert(records: readonly StreamRecord[]): Promise<Map<StreamRecord, string>> {
    const reason = await refusal(records);
    if (reason === undefined) return new Map();
    const middle = records.length >> 1;
    const halves = middle > 0 ? [records.slice(0, middle), records.slice(middle)] : [];
    const failures = new Map<StreamRecord, string>();
    for (const half of halves) for (const failure of await convert(half)) failures.set(...failure);
    if (failures.size === 0) return new Map(records.map(record => [record, reason]));
    const rest = records.filter(record => !failures.has(record));
    return rest.length > 0 ? new Map([...failures, ...(await convert(rest))]) : failures;
  }

  /** https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html */
  function describe([record, reason]: [StreamRecord, string]): string {
    const { data, sequenceNumber, approximateArrivalTimestamp: arrivalTimestamp } = record;
    const kind = reason.startsWith('Malformed JSON') ? 'ParseError' : 'MalformedData';
    const error = { lastErrorCode: `DataFormatConversion.${kind}`, lastErrorMessage: reason };
    const times = { attemptsMade: 1, arrivalTimestamp, attemptEndingTimestamp: Date.now() };
    const source = { rawData: data.toString('base64'), sequenceNumber, subSequenceNumber: null };
    return `${JSON.stringify({ ...times, ...error, ...source, dataCatalogTable: { databaseName, tableName } })}\n`;
  }

  return async (records: readonly StreamRecord[], oldest: StreamRecord): Promise<void> => {
    const key = objectKey(name, oldest, Prefix) + extension;
    if (!conversion) {
      const body = Buffer.concat(records.flatMap(({ data }) => [data, Buffer.from(delimited ? '\n' : '')]));
      return void (await s3.put(bucket, key, zipped ? await promisify(gzip)(body) : body));
    }
    const failures = [...(await convert(records))];
    const errorKey = objectKey(name, oldest, ErrorOutputPrefix, 'format-conversion-failed');
    if (failures.length > 0) await s3.put(bucket, errorKey, Buffer.from(failures.map(describe).join('')));
    if (failures.length < records.length) await s3.put(bucket, key, { file });
  };
}

/** As AWS names objects, but for its random end: a delivery repeated after a crash replaces what it wrote before. */
function objectKey(streamName: string, oldest: StreamRecord, prefix: string, errorType = ''): string {
  const hash = createHash('sha256').update(`${streamName}/${oldest.sequenceNumber}`).digest('hex');
  const uuid = hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
  const [yyyy, MM, dd, HH, mm, ss] = new Date(oldest.approximateArrivalTimestamp).toISOString().split(/\D/);
  const parts: Record<string, string | undefined> = { yyyy, MM, dd, HH, mm, ss, 'error-output-type': errorType };
  // Without an expression AWS adds folders of its own: https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
  const whole = prefix.includes('!{') ? prefix : `${prefix}${errorType && `${errorType}/`}!{timestamp:yyyy/MM/dd/HH}/`;
  const folder = whole.replace(/!\{(?:timestamp|firehose):([^}]*)\}/g, (_, pattern: string) =>
    pattern.replace(/yyyy|MM|dd|HH|mm|ss|error-output-type/g, token => parts[token] ?? ''),
  );
  return `${folder}${streamName}-1-${yyyy}-${MM}-${dd}-${HH}-${mm}-${ss}-${uuid}`;
}
