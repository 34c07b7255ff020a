import type { CatalogTable, LakeObject, Ports } from './catalog.ts';
import type { LakeFile, LakeTable } from './lake.ts';
import { TrinoError } from './text.ts';

const formats: Readonly<Record<string, LakeTable['format']>> = {
  'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe': 'parquet',
  'org.openx.data.jsonserde.JsonSerDe': 'json',
  'org.apache.hive.hcatalog.data.JsonSerDe': 'json',
};

/** A table of the catalog with the objects that it has at this moment: committed ones, by an explicit list, never a glob. */
export function lakeTable(table: CatalogTable, objects: Ports['objects']): LakeTable {
  const format = formats[table.serde ?? ''];
  if (!format)
    throw new TrinoError(`HIVE_UNSUPPORTED_FORMAT: The local Athena reads Parquet and JSON, not ${table.serde}`);
  const partitions = new Map<string, { values: string[]; files: LakeFile[] }>();
  const folder = folderPattern(table);
  for (const object of objectsOf(table, objects)) {
    const uri = `s3://${object.bucket}/${object.key}`;
    const [, ...values] = folder.exec(uri) ?? [''];
    if (values.length !== table.partitionKeys.length || !isProjected(table, values)) continue;
    const key = JSON.stringify(values);
    const partition = partitions.get(key) ?? { values, files: [] };
    partition.files.push({ path: object.path, uri, sizeBytes: object.size, gzip: object.key.endsWith('.gz') });
    partitions.set(key, partition);
  }
  const { columns, partitionKeys } = table;
  return { columns, partitionKeys, format, partitions: [...partitions.values()] };
}

/** Athena skips keys that begin with an underscore or a dot, and empty objects hold no rows. */
function objectsOf(table: CatalogTable, objects: Ports['objects']): LakeObject[] {
  const [root = ''] = locationOf(table).split('${');
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(root) ?? [];
  return objects.list(bucket, prefix).filter(({ key, size }) => size > 0 && !/(^|\/)[_.][^/]*$/.test(key));
}

/** `s3://bucket/events/day=${day}/`: the template of the projection, or Hive's folders. */
function locationOf({ location = '', parameters, partitionKeys }: CatalogTable): string {
  const root = location.endsWith('/') ? location : `${location}/`;
  return (
    parameters['storage.location.template'] ?? root + partitionKeys.map(({ name }) => `${name}=\${${name}}/`).join('')
  );
}

function folderPattern(table: CatalogTable): RegExp {
  const parts = locationOf(table)
    .split(/\$\{\w+\}/)
    .map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('([^/]+)')}`);
}

/** https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html; only dates are held to their range. */
function isProjected({ parameters, partitionKeys }: CatalogTable, values: readonly string[]): boolean {
  return partitionKeys.every(({ name }, index) => {
    if (parameters[`projection.${name}.type`] !== 'date') return true;
    const [first = '', last = ''] = parameters[`projection.${name}.range`]?.split(',') ?? [];
    const value = values[index] ?? '';
    const isDay = /^\d/;
    return (!isDay.test(first) || value >= first) && (!isDay.test(last) || value <= last);
  });
}
