import { randomBytes } from 'node:crypto';
import type { EngineColumn } from '../duckdb.ts';
import { unnamedColumn } from './aliases.ts';
import type { Catalog, CatalogTable, Ports } from './catalog.ts';
import { trinoReason } from './errors.ts';
import { identifier, type LakeTable, overFiles, type Scan, scannedBytes, scansOf, standIn } from './lake.ts';
import { lakeTable } from './partitions.ts';
import { TrinoError } from './text.ts';
import { type TableReference, type Translation, translate } from './translate.ts';

export interface QueryContext {
  /** For tables that name no database. */
  readonly database: string;
  readonly parameters?: readonly string[] | undefined;
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Query {
  /** DuckDB's, valid while `run` runs. */
  readonly sql: string;
  readonly columns: readonly EngineColumn[];
  readonly scannedBytes: number;
  /** JSON, over the partitions that it reads. */
  readonly plan: string;
}

/** The query would read more than its workgroup allows. */
export class ScanLimitError extends TrinoError {}

/** What a view's text in the catalog encodes. */
interface ViewDefinition {
  readonly originalSql: string;
  readonly schema: string;
}

/** Plans a SELECT and calls `run` with it while its tables exist in DuckDB. Errors are in Athena's words and name no local file. */
export async function withQuery<Result>(
  ports: Ports,
  sql: string,
  context: QueryContext,
  run: (query: Query) => Promise<Result>,
): Promise<Result> {
  const schema = `query_${randomBytes(8).toString('hex')}`;
  const resolved = await resolveTables(ports, schema, sql, context);
  try {
    return await run(await plan(ports, schema, resolved, context));
  } catch (error) {
    context.signal?.throwIfAborted();
    if (error instanceof TrinoError) throw error;
    const { translation, tables } = resolved;
    const about = { columnPositions: translation.columnPositions, uriOf: (path: string) => uriOf(tables, path) };
    throw new TrinoError(trinoReason(error, about), { cause: error });
  } finally {
    await ports.duckdb.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`).catch(() => {});
  }
}

/** Twice over: over stand-ins, to see what is read, then over exactly those files. */
async function plan({ duckdb }: Ports, schema: string, resolved: Resolved, context: QueryContext): Promise<Query> {
  const { translation, tables, views } = resolved;
  const { sql } = translation;
  const standIns = [...tables].map(([name, table]) => standIn(schema, name, table));
  await duckdb.run([`CREATE SCHEMA ${schema};`, ...standIns, ...views].join('\n'));
  const columns = await duckdb.columns(sql);
  const explained = String((await duckdb.query(`EXPLAIN (FORMAT JSON) ${sql}`)).rows[0]?.[1]);
  const scans = scansOf(explained, schema);
  const bytes = await scannedBytes(duckdb, tables, scans);
  if (context.maxBytes !== undefined && bytes > context.maxBytes) {
    throw new ScanLimitError('Bytes scanned limit was exceeded');
  }
  const real = [...tables].map(([name, table]) => overFiles(schema, name, table, partitionsOf(scans, name)));
  if (real.length > 0) await duckdb.run(real.join('\n'));
  return { sql, columns: named(columns), scannedBytes: bytes, plan: explained.replaceAll(`memory.${schema}.`, '') };
}

function partitionsOf(scans: readonly Scan[], table: string): Set<number> {
  return new Set(scans.filter(scan => scan.table === table).map(scan => scan.partition));
}

function uriOf(tables: ReadonlyMap<string, LakeTable>, path: string): string | undefined {
  const files = [...tables.values()].flatMap(({ partitions }) => partitions.flatMap(partition => partition.files));
  return files.find(file => file.path === path)?.uri;
}

function named(columns: readonly EngineColumn[]): EngineColumn[] {
  return columns.map((column, index) => (column.name === unnamedColumn ? { ...column, name: `_col${index}` } : column));
}

/** The statement and every view it reaches, translated; the tables that these read. */
interface Resolved {
  readonly translation: Translation;
  readonly tables: ReadonlyMap<string, LakeTable>;
  /** CREATE VIEW, those first that others need. */
  readonly views: readonly string[];
}

async function resolveTables(ports: Ports, schema: string, sql: string, context: QueryContext): Promise<Resolved> {
  const tables = new Map<string, LakeTable>();
  const views = new Map<string, string>();
  const relation = ({ database, name }: TableReference) => ({ schema, name: `${database}.${name}` });

  async function resolve(reference: TableReference, within: readonly string[]): Promise<void> {
    const { name } = relation(reference);
    if (tables.has(name) || views.has(name)) return;
    const table = requireTable(ports.catalog, reference);
    if (table.viewOriginalText === undefined) {
      tables.set(name, lakeTable(table, ports.objects));
      return;
    }
    if (within.includes(name)) throw new TrinoError(`INVALID_VIEW: ${reference.where}: View '${name}' is recursive`);
    const { originalSql, schema: database } = viewDefinition(table);
    const view = await translate(ports.duckdb, originalSql, { database, relation });
    for (const inner of view.tables) await resolve(inner, [...within, name]);
    const columns = table.columns.map(column => identifier(column.name));
    views.set(name, `CREATE VIEW ${schema}.${identifier(name)} (${columns}) AS ${view.sql};`);
  }

  const translation = await translate(ports.duckdb, sql, { ...context, relation });
  for (const reference of translation.tables) await resolve(reference, []);
  return { translation, tables, views: [...views.values()] };
}

function requireTable(catalogue: Catalog, { catalog, database, name, where }: TableReference): CatalogTable {
  if (catalog && catalog !== 'awsdatacatalog')
    throw new TrinoError(`CATALOG_NOT_FOUND: ${where}: Catalog '${catalog}' does not exist`);
  const table = catalogue.table(database, name);
  if (table) return table;
  if (database === 'information_schema' || /\$(partitions|properties)$/.test(name)) {
    const what = database === 'information_schema' ? database : `the table "${name}"`;
    throw new TrinoError(`NOT_SUPPORTED: ${where}: The local Athena does not do ${what}; AWS does`);
  }
  if (!catalogue.databases().includes(database))
    throw new TrinoError(`SCHEMA_NOT_FOUND: ${where}: Schema '${database}' does not exist`);
  throw new TrinoError(`TABLE_NOT_FOUND: ${where}: Table 'awsdatacatalog.${database}.${name}' does not exist`);
}

export function viewDefinition({ database, name, viewOriginalText = '' }: CatalogTable): ViewDefinition {
  const encoded = /^\/\* Presto View: (\S+) \*\/$/.exec(viewOriginalText)?.[1];
  if (!encoded) throw new TrinoError(`INVALID_VIEW: View '${database}.${name}' is not one that Athena made`);
  return JSON.parse(Buffer.from(encoded, 'base64').toString()) as ViewDefinition;
}
