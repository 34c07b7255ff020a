/** Tables over files in DuckDB: partitions from the files' keys, pruned by DuckDB's own planner, and the bytes a query reads. */
import type { Duckdb } from '../duckdb.ts';
import { TrinoError } from './text.ts';
import { splitTopLevel } from './values.ts';

export interface LakeColumn {
  readonly name: string;
  /** Hive's: `string`, `array<int>`. */
  readonly type: string;
}

export interface LakeFile {
  readonly path: string;
  /** What it is called outside. */
  readonly uri: string;
  readonly sizeBytes: number;
  readonly gzip: boolean;
}

export interface LakePartition {
  /** In the order of the table's partition keys. */
  readonly values: readonly string[];
  readonly files: readonly LakeFile[];
}

export interface LakeTable {
  readonly columns: readonly LakeColumn[];
  readonly partitionKeys: readonly LakeColumn[];
  readonly format: 'parquet' | 'json';
  readonly partitions: readonly LakePartition[];
}

/** What a query reads of one table, each time that it names it. */
export interface Scan {
  readonly table: string;
  readonly partition: number;
  readonly columns: readonly string[];
}

const sqlTypes: Readonly<Record<string, string>> = {
  ...{ string: 'VARCHAR', varchar: 'VARCHAR', char: 'VARCHAR', int: 'INTEGER', integer: 'INTEGER', bigint: 'BIGINT' },
  ...{ smallint: 'SMALLINT', tinyint: 'TINYINT', double: 'DOUBLE', float: 'FLOAT', boolean: 'BOOLEAN', date: 'DATE' },
  ...{ timestamp: 'TIMESTAMP', binary: 'BLOB', decimal: 'DECIMAL' },
};
const marker = '"$partition"';

/** A column type of the Glue catalog as DuckDB's. Throws for one that it does not know. */
export function sqlType(hive: string): string {
  const [, outer = hive.trim(), inner = ''] = /^(\w+)[<(](.*)[>)]$/s.exec(hive.trim()) ?? [];
  const parts = splitTopLevel(inner);
  if (outer === 'array') return `${sqlType(inner)}[]`;
  if (outer === 'map') return `MAP(${parts.map(sqlType).join(', ')})`;
  if (outer === 'struct') {
    const fields = parts.map(part => /^(\w+):(.*)$/s.exec(part) ?? ['', part, 'string']);
    return `STRUCT(${fields.map(([, name = '', type = '']) => `${identifier(name)} ${sqlType(type)}`).join(', ')})`;
  }
  const known = sqlTypes[outer.toLowerCase()];
  if (!known) throw new TrinoError(`HIVE_UNSUPPORTED_FORMAT: The local Athena knows no column type ${hive}`);
  return known === 'DECIMAL' && inner ? `DECIMAL(${inner})` : known;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Creates `schema`.`name` without a file behind it, to plan over: a branch for each partition, so that the planner leaves
 * out those that a query's conditions exclude, wherever and through whichever views they come.
 */
export function standIn(schema: string, name: string, table: LakeTable): string {
  const [view, empty] = [`${schema}.${identifier(name)}`, `${schema}.${identifier(`${name}$`)}`];
  const columns = table.columns.map(column => `${identifier(column.name)} ${sqlType(column.type)}`);
  const branches = table.partitions.map(({ values }, index) => {
    const keys = table.partitionKeys.map((key, at) => keyColumn(literal(values[at] ?? ''), key));
    return `SELECT ${[...table.columns.map(({ name }) => identifier(name)), ...keys]} FROM ${empty} WHERE ${marker} IS DISTINCT FROM ${index}`;
  });
  // First, so that it is this column that the planner picks where a query needs none.
  return `CREATE TABLE ${empty} (${[`${marker} INTEGER`, ...columns]});
    CREATE VIEW ${view} AS ${branches.length > 0 ? branches.join(' UNION ALL ') : noRows(table)};`;
}

/** One step of `EXPLAIN (FORMAT JSON)`. */
interface PlanStep {
  readonly children: readonly PlanStep[];
  readonly extra_info: {
    readonly Table?: string;
    readonly Projections?: string | readonly string[];
    readonly Filters?: string | readonly string[];
  };
}

/** What a query over stand-ins would read, from its plan. */
export function scansOf(plan: string, schema: string): Scan[] {
  const steps = (step: PlanStep): PlanStep[] => [step, ...step.children.flatMap(steps)];
  return (JSON.parse(plan) as PlanStep[]).flatMap(steps).flatMap(({ extra_info: info }) => {
    const table = /"(.*)\$"$/.exec(info.Table?.split(`.${schema}.`)[1] ?? '')?.[1];
    const filters = [info.Filters ?? []].flat().join(' ');
    const [branch, partition] = /\$partition"? IS DISTINCT FROM (\d+)/.exec(filters) ?? [];
    if (!table || !branch) return [];
    const filtered =
      filters
        .replace(branch, '')
        .replaceAll(/'(?:[^']|'')*'/g, '')
        .match(/[A-Za-z_]\w*/g) ?? [];
    return [{ table, partition: Number(partition), columns: [...[info.Projections ?? []].flat(), ...filtered] }];
  });
}

/** As Athena counts: of Parquet the compressed size of the columns read, of text the whole file. */
export async function scannedBytes(
  engine: Duckdb,
  tables: ReadonlyMap<string, LakeTable>,
  scans: readonly Scan[],
): Promise<number> {
  let total = 0;
  const parquet = new Map<string, { columns: readonly string[]; paths: string[] }>();
  for (const { table: name, partition, columns } of scans) {
    const table = tables.get(name);
    const files = table?.partitions[partition]?.files ?? [];
    if (table?.format === 'json') total += files.reduce((sum, file) => sum + file.sizeBytes, 0);
    else {
      const group = parquet.get(`${name} ${columns}`) ?? { columns, paths: [] };
      group.paths.push(...files.map(file => file.path));
      parquet.set(`${name} ${columns}`, group);
    }
  }
  for (const { columns, paths } of parquet.values()) {
    const read = `split_part(path_in_schema, ', ', 1) IN (${columns.map(literal)})`;
    const sql = `SELECT coalesce(sum(total_compressed_size), 0)::BIGINT FROM parquet_metadata([${paths.map(literal)}]) WHERE ${read}`;
    if (columns.length > 0 && paths.length > 0) total += Number((await engine.query(sql)).rows[0]?.[0]);
  }
  return total;
}

/** Puts the files of `partitions` in the place of a stand-in. */
export function overFiles(schema: string, name: string, table: LakeTable, partitions: ReadonlySet<number>): string {
  const read = table.partitions.filter((_, index) => partitions.has(index));
  const kinds = table.format === 'json' ? [true, false] : [false];
  const branches = kinds.flatMap(gzip => {
    const files = read.flatMap(({ values, files }) =>
      files
        .filter(file => table.format === 'parquet' || file.gzip === gzip)
        .map(file => ({ values, path: literal(file.path) })),
    );
    if (files.length === 0) return [];
    const keys = table.partitionKeys.map((key, at) => {
      const values = files.map(file => literal(file.values[at] ?? ''));
      return keyColumn(`list_extract([${values}], CAST(file_index + 1 AS BIGINT))`, key);
    });
    const names = table.columns.map(({ name }) => identifier(name));
    return [
      `SELECT ${[...names, ...keys]} FROM ${reader(
        table,
        files.map(file => file.path),
        gzip,
      )}`,
    ];
  });
  return `CREATE OR REPLACE VIEW ${schema}.${identifier(name)} AS ${branches.join(' UNION ALL ') || noRows(table)};`;
}

/** With the columns of the catalog: one that an older file lacks is NULL, one that the catalog lacks is left unread. */
function reader({ columns, format }: LakeTable, paths: readonly string[], gzip: boolean): string {
  if (format === 'json') {
    const types = columns.map(({ name, type }) => `${literal(name)}: ${literal(sqlType(type))}`);
    const compression = gzip ? 'gzip' : 'uncompressed';
    return `read_json([${paths}], columns = {${types}}, format = 'newline_delimited', compression = '${compression}')`;
  }
  const schema = columns.map(
    ({ name, type }) =>
      `${literal(name)}: {name: ${literal(name)}, type: ${literal(sqlType(type))}, default_value: NULL}`,
  );
  return `read_parquet([${paths}], schema = MAP {${schema}})`;
}

function keyColumn(value: string, { name, type }: LakeColumn): string {
  const text = sqlType(type) === 'VARCHAR' ? value : `CAST(${value} AS ${sqlType(type)})`;
  return `${text} AS ${identifier(name)}`;
}

function noRows({ columns, partitionKeys }: LakeTable): string {
  const nulls = [...columns, ...partitionKeys].map(
    ({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${identifier(name)}`,
  );
  return `SELECT ${nulls} WHERE false`;
}
