import type { Duckdb } from '../duckdb.ts';

export interface CatalogColumn {
  readonly name: string;
  /** Hive's spelling: `string`, `array<int>`, `struct<a:int>`. */
  readonly type: string;
  readonly comment?: string | undefined;
}

/** A table, or a view: then `viewOriginalText` is set. Names are in lower case. */
export interface CatalogTable {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly CatalogColumn[];
  readonly partitionKeys: readonly CatalogColumn[];
  /** `s3://bucket/prefix/` */
  readonly location?: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly viewOriginalText?: string | undefined;
  /** The serialization library: what a file of the table holds. */
  readonly serde?: string | undefined;
}

export interface Catalog {
  readonly databases: () => readonly string[];
  readonly table: (database: string, name: string) => CatalogTable | undefined;
  readonly tables: (database: string) => readonly CatalogTable[];
  readonly saveView: (view: Pick<CatalogTable, 'database' | 'name' | 'columns' | 'viewOriginalText'>) => void;
  readonly remove: (database: string, name: string) => void;
}

/** A committed object and the local file that holds it. */
export interface LakeObject {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly path: string;
}

/** What Athena SQL runs on. */
export interface Ports {
  readonly duckdb: Duckdb;
  readonly catalog: Catalog;
  readonly objects: { readonly list: (bucket: string, prefix: string) => readonly LakeObject[] };
}
