/** DuckDB's types and values as Athena shows them. */

/** `MAP(VARCHAR, INTEGER[])` → MAP of VARCHAR and LIST of INTEGER. Fields of a row have names, where they were given any. */
export interface EngineType {
  readonly name: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly of: readonly { readonly field: string; readonly type: EngineType }[];
}

/** A type as the engine spells it in `EngineColumn`. */
export function parseType(text: string): EngineType {
  if (text.endsWith('[]')) return { name: 'LIST', of: [{ field: '', type: parseType(text.slice(0, -2)) }] };
  const [, name = '', inner = ''] = /^(STRUCT|MAP|DECIMAL)\((.*)\)$/s.exec(text) ?? [];
  if (name === 'DECIMAL') {
    const [precision = 38, scale = 0] = inner.split(',').map(Number);
    return { name, precision, scale, of: [] };
  }
  const of = splitTopLevel(inner).map(part => {
    const [, field = '', type = part] = /^"((?:[^"]|"")*)" (.*)$/s.exec(part) ?? [];
    return { field: field.replaceAll('""', '"'), type: parseType(type) };
  });
  return { name: name || text, of };
}

/** At the commas outside brackets and quotes. */
export function splitTopLevel(text: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const [piece] of text.matchAll(/"(?:[^"]|"")*"|[\s\S]/g)) {
    if (/^[(<[]$/.test(piece)) depth++;
    if (/^[)>\]]$/.test(piece)) depth--;
    if (piece === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += piece;
  }
  return parts.map(part => part.trim()).filter(part => part !== '');
}

/** Result types as GetQueryResults names them, where they are not DuckDB's in lower case. */
const athenaNames: Readonly<Record<string, string>> = {
  ...{
    HUGEINT: 'bigint',
    FLOAT: 'float',
    LIST: 'array',
    STRUCT: 'row',
    BLOB: 'varbinary',
    'TIME WITH TIME ZONE': 'time',
  },
  ...{
    UBIGINT: 'bigint',
    UINTEGER: 'bigint',
    TIMESTAMP_S: 'timestamp',
    TIMESTAMP_MS: 'timestamp',
    TIMESTAMP_NS: 'timestamp',
  },
  ...{ INTERVAL: 'interval day to second' },
};

export function athenaType({ name }: EngineType): string {
  return athenaNames[name] ?? name.toLowerCase();
}

/** A column type of the Glue catalog. */
export function hiveType(type: EngineType): string {
  const of = type.of.map(({ field, type }) => (field ? `${field}:` : '') + hiveType(type)).join(',');
  if (type.name === 'DECIMAL') return `decimal(${type.precision},${type.scale})`;
  if (type.name === 'STRUCT') return `struct<${of}>`;
  if (type.of.length > 0) return `${athenaType(type)}<${of}>`;
  const hive: Readonly<Record<string, string>> = { integer: 'int', varchar: 'string', varbinary: 'binary' };
  return hive[athenaType(type)] ?? athenaType(type).replace(' with time zone', '');
}

/** SQL for the text that Athena shows for `value`: `[a, b]`, `{k=v}`, `2026-11-20 10:00:00.000`. NULL stays NULL. */
export function textOf(type: EngineType, value: string, depth = 0): string {
  const nested = (inner: EngineType | undefined, of: string) =>
    inner ? `coalesce(${textOf(inner, of, depth + 1)}, 'null')` : `'null'`;
  const item = `item${depth}`;
  const each = (list: string, text: string) =>
    `array_to_string(list_transform(${list}, lambda ${item}: ${text}), ', ')`;
  const text = `CAST(${value} AS VARCHAR)`;
  const [first, second] = type.of.map(({ type }) => type);
  switch (type.name) {
    case 'LIST':
      return `'[' || ${each(value, nested(first, item))} || ']'`;
    case 'MAP':
      return `'{' || ${each(`map_entries(${value})`, `${nested(first, `${item}.key`)} || '=' || ${nested(second, `${item}.value`)}`)} || '}'`;
    case 'STRUCT': {
      const fields = type.of.map(({ field, type }, index) => {
        const label = (field || `field${index}`).replaceAll("'", "''");
        return `'${label}=' || ${nested(type, `struct_extract_at(${value}, ${index + 1})`)}`;
      });
      return `CASE WHEN ${value} IS NOT NULL THEN '{' || ${fields.join(` || ', ' || `)} || '}' END`;
    }
    case 'DOUBLE':
    case 'FLOAT':
      return `text_of_double(${text})`;
    case 'TIMESTAMP WITH TIME ZONE':
      return `text_of_instant(${text})`;
    case 'TIME WITH TIME ZONE':
      return `text_of_time(${text}[:8])`;
    case 'BLOB':
      return `text_of_binary(${value})`;
    case 'INTERVAL':
      return `text_of_interval(${value})`;
    case 'HUGEINT':
      return `CAST(CAST(${value} AS BIGINT) AS VARCHAR)`;
    default:
      return type.name.startsWith('TIME') ? `text_of_time(${text})` : text;
  }
}
