import type { Duckdb } from '../duckdb.ts';
import { hideAliases, nameColumns } from './aliases.ts';
import { comparisons, datePatterns, missingHere, operators, rewriteCall } from './functions.ts';
import { literal } from './lake.ts';
import { position, readableByDuckdb, strftimePattern, TrinoError } from './text.ts';
import {
  call,
  constant,
  constantText,
  isInterval,
  isIntervalLiteral,
  isNode,
  type Node,
  parseTree,
  typedConstant,
  unnamed,
} from './tree.ts';

/** A table that a statement names, other than its own WITH queries. */
export interface TableReference {
  readonly catalog: string;
  readonly database: string;
  readonly name: string;
  /** `line 1:15` */
  readonly where: string;
}

export interface Translation {
  /** DuckDB's SQL. */
  readonly sql: string;
  readonly tables: readonly TableReference[];
  /** Where each column is first named, by its name in lower case. */
  readonly columnPositions: ReadonlyMap<string, string>;
}

export interface TranslateOptions {
  /** For tables that name no database. */
  readonly database: string;
  /** Literals for the statement's `?`. */
  readonly parameters?: readonly string[] | undefined;
  /** What stands for a table in DuckDB. */
  readonly relation: (table: TableReference) => { readonly schema: string; readonly name: string };
}

/** What Athena's grammar has. DuckDB's is larger: a node that is not named here is refused, with its place. */
const known = new Set(
  `SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY
  DISTINCT_MODIFIER ORDER_MODIFIER LIMIT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING COLUMN_REF VALUE_CONSTANT FUNCTION STAR LAMBDA
  ARRAY_EXTRACT ARRAY_CONSTRUCTOR OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_TRY OPERATOR_CAST
  GROUPING_FUNCTION STRUCT_EXTRACT CASE_EXPR CONJUNCTION_AND CONJUNCTION_OR WINDOW_AGGREGATE WINDOW_ROW_NUMBER WINDOW_RANK
  WINDOW_RANK_DENSE WINDOW_PERCENT_RANK WINDOW_CUME_DIST WINDOW_NTILE WINDOW_FIRST_VALUE WINDOW_LAST_VALUE WINDOW_NTH_VALUE
  WINDOW_LEAD WINDOW_LAG ${Object.keys(comparisons).join(' ')}`.split(/\s+/),
);

/** Members that Athena's grammar never fills. */
const foreign: Readonly<Record<string, string>> = {
  ...{
    qualify: 'QUALIFY',
    distinct_on_targets: 'DISTINCT ON',
    exclude_list: 'EXCLUDE',
    qualified_exclude_list: 'EXCLUDE',
  },
  ...{ replace_list: 'REPLACE', rename_list: 'RENAME', columns: 'COLUMNS(*), nor ORDER BY ALL', at_clause: 'AT here' },
};

/** Members that it fills only so. */
const expected: Readonly<Record<string, RegExp>> = {
  aggregate_handling: /^STANDARD_HANDLING$/,
  join_type: /^(INNER|LEFT|RIGHT|FULL)$/,
  ref_type: /^(REGULAR|CROSS|NATURAL)$/,
  setop_type: /^(UNION|EXCEPT|INTERSECT)$/,
};

/** Members that hold no expressions. */
const opaque = new Set(['cte_map', 'cast_type', 'value']);

/**
 * One Trino query for DuckDB. DuckDB's own parser reads it and DuckDB's own printer writes it, so that no clause is lost in between;
 * functions, tables and those operators that answer otherwise are replaced in the tree. Rejects with TrinoError.
 */
export async function translate(engine: Duckdb, query: string, options: TranslateOptions): Promise<Translation> {
  const sql = readableByDuckdb(query, options.parameters);
  const begin = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(\w+|\(|)/.exec(sql)?.[1] ?? '';
  // DuckDB would read `FROM t` as well.
  if (!/^(select|with|values|table|\()$/i.test(begin)) throw new TrinoError(`line 1:1: mismatched input '${begin}'`);
  const parsed = await engine.query(`SELECT json_serialize_sql(${literal(sql)})`);
  const tree = parseTree(String(parsed.rows[0]?.[0]));
  if (tree.error === true) throw new TrinoError(syntaxError(sql, tree));
  const { rewrite, tables, columnPositions } = createRewriter(sql, options);
  const rewritten = JSON.stringify(rewrite(nameColumns(tree), new Set()));
  const printed = await engine.query(`SELECT json_deserialize_sql(${literal(rewritten)}::JSON)`);
  return { sql: String(printed.rows[0]?.[0]), tables, columnPositions };
}

function syntaxError(sql: string, tree: Node): string {
  const message = String(tree.error_message);
  const near = /at or near "(.*)"$/s.exec(message)?.[1];
  const where = position(sql, Number(tree.position ?? 0));
  if (near !== undefined) return `${where}: mismatched input '${near}'`;
  return message.includes('end of input') ? `${where}: mismatched input '<EOF>'` : `${where}: ${message}`;
}

function createRewriter(sql: string, options: TranslateOptions) {
  const bytes = Buffer.from(sql);
  const tables: TableReference[] = [];
  const columnPositions = new Map<string, string>();

  function whereIs(node: Node): string {
    const at = node.query_location;
    return position(sql, typeof at === 'number' ? bytes.subarray(0, at).toString().length : 0);
  }

  function refuse(node: Node, what: string): never {
    throw new TrinoError(`SYNTAX_ERROR: ${whereIs(node)}: ${what}`);
  }

  function lacking(node: Node, what: string): never {
    throw new TrinoError(`NOT_SUPPORTED: ${whereIs(node)}: The local Athena does not do ${what}; AWS does`);
  }

  function rewrite(value: unknown, withNames: ReadonlySet<string>): unknown {
    if (Array.isArray(value)) return value.map(item => rewrite(item, withNames));
    if (!isNode(value)) return value;
    check(value);
    if (isIntervalLiteral(value)) return value;
    if (value.class === 'CONSTANT') return typedConstant(value);
    const { node, scope } = rewriteWith(value, withNames);
    if (node.type === 'TABLE_FUNCTION') return rewriteTableFunction(node, scope);
    const done = Object.entries(node).map(([key, member]) => [key, opaque.has(key) ? member : rewrite(member, scope)]);
    return replace(Object.fromEntries(done), scope);
  }

  function check(node: Node): void {
    const type = node.type;
    if (typeof type === 'string' && !known.has(type)) refuse(node, `Athena has no ${readable(type)}`);
    for (const [key, what] of Object.entries(foreign)) if (isFilled(node[key])) refuse(node, `Athena has no ${what}`);
    for (const [key, values] of Object.entries(expected)) {
      const found = node[key];
      if (typeof found === 'string' && !values.test(found)) refuse(node, `Athena has no ${readable(found)} here`);
    }
  }

  /** WITH queries see those before them, and themselves only where they are recursive. */
  function rewriteWith(node: Node, outer: ReadonlySet<string>): { node: Node; scope: ReadonlySet<string> } {
    const queries = (node.cte_map as Node | undefined)?.map as { key: string; value: Node }[] | undefined;
    if (!queries) return { node, scope: outer };
    const scope = new Set(outer);
    const map = queries.map(({ key, value }) => {
      const query = value.query as { node: Node };
      const isRecursive = query.node.type === 'RECURSIVE_CTE_NODE';
      const rewritten = rewrite(query, isRecursive ? new Set(scope).add(key.toLowerCase()) : new Set(scope));
      scope.add(key.toLowerCase());
      return { key, value: { ...value, query: rewritten } };
    });
    return { node: { ...node, cte_map: { map } }, scope };
  }

  function rewriteTableFunction(node: Node, scope: ReadonlySet<string>): Node {
    const called = node.function as Node;
    if (called.function_name !== 'unnest') refuse(node, `Table function '${called.function_name}' not registered`);
    return { ...node, function: { ...called, children: rewrite(called.children, scope) } };
  }

  function replace(node: Node, scope: ReadonlySet<string>): Node {
    switch (node.class ?? node.type) {
      case 'BASE_TABLE':
        return rewriteTable(node, scope);
      case 'SELECT_NODE':
        return hideAliases(node);
      case 'COLUMN_REF':
        return rewriteColumn(node);
      case 'FUNCTION':
      case 'WINDOW':
        return rewriteFunction(node);
      case 'CAST':
        return rewriteCast(node);
      case 'COMPARISON':
        return node.left ? { ...node, left: comparable(node, node.left, node.right) } : node;
      case 'BETWEEN':
        return node.input ? { ...node, input: comparable(node, node.input, node.lower) } : node;
      case 'OPERATOR': {
        const [first, ...rest] = node.children ?? [];
        if (node.type === 'ARRAY_EXTRACT') return call(node, 'operator_subscript', [first, ...rest]);
        const isComparison = first && comparisons[node.type ?? ''];
        return isComparison ? { ...node, children: [comparable(node, first, rest[0]), ...rest] } : node;
      }
      default:
        return node;
    }
  }

  function rewriteTable(node: Node, scope: ReadonlySet<string>): Node {
    const { catalog_name, schema_name, table_name } = node as Record<string, string>;
    const name = String(table_name).toLowerCase();
    const sampled = { ...node, sample: percentage(node) };
    if (!schema_name && scope.has(name)) return sampled;
    const database = (schema_name || options.database).toLowerCase();
    const table = { catalog: String(catalog_name).toLowerCase(), database, name, where: whereIs(node) };
    tables.push(table);
    const relation = options.relation(table);
    const alias = node.alias || String(table_name);
    return { ...sampled, catalog_name: '', schema_name: relation.schema, table_name: relation.name, alias };
  }

  /** TABLESAMPLE BERNOULLI (10): ten percent in Athena, ten rows in DuckDB. */
  function percentage(node: Node): unknown {
    const sample = node.sample;
    if (!isNode(sample)) return null;
    return sample.method === 'Reservoir'
      ? refuse(node, 'Athena has no reservoir samples')
      : { ...sample, is_percentage: true };
  }

  function rewriteColumn(node: Node): Node {
    const names = node.column_names as string[];
    const last = String(names.at(-1));
    if (/^\$(path|file_size|file_modified_time|partition|bucket)$/i.test(last)) lacking(node, `the column "${last}"`);
    for (const name of names.map(each => each.toLowerCase())) {
      if (!columnPositions.has(name)) columnPositions.set(name, whereIs(node));
    }
    const isQualified = names.length > 2 && names[0]?.toLowerCase() === options.database.toLowerCase();
    return isQualified ? { ...node, column_names: names.slice(1) } : node;
  }

  function rewriteFunction(node: Node): Node {
    const name = String(node.function_name).toLowerCase();
    const children = node.children ?? [];
    if (node.is_operator) return rewriteOperator(node, name, children);
    const pattern = datePatterns[name];
    if (pattern) return call(node, `trino_${name}`, withDatePattern(node, pattern, children));
    return (
      rewriteCall(node, name, children) ??
      (missingHere.has(name) ? lacking(node, `the function ${name}`) : undefined) ??
      refuse(node, `Function '${name}' not registered, or not for ${children.length} arguments`)
    );
  }

  function rewriteOperator(node: Node, name: string, children: readonly Node[]): Node {
    const [left, right] = children;
    const target = operators[name] ?? refuse(node, `mismatched input '${name}'`);
    if (!left || !right) return node;
    const withInterval =
      name === '+' ? 'operator_add_interval' : name === '-' ? 'operator_subtract_interval' : undefined;
    if (withInterval && isInterval(right) && !isInterval(left)) return call(node, withInterval, [left, right]);
    if (name === '+' && isInterval(left) && !isInterval(right))
      return call(node, 'operator_add_interval', [right, left]);
    return target.startsWith('operator_') && !isInterval(left) ? call(node, target, children) : node;
  }

  function withDatePattern(node: Node, kind: 'mysql' | 'joda', [value, pattern]: readonly Node[]): unknown[] {
    const text = pattern && constantText(pattern);
    if (text === undefined) return refuse(node, 'The local Athena takes a date pattern only as a literal');
    return [value, constant(node, strftimePattern(kind, text))];
  }

  function rewriteCast(node: Node): Node {
    const { id, type_info } = node.cast_type as { id: string; type_info?: { name?: string } };
    const name = (type_info?.name ?? id).toUpperCase();
    if (name === 'VARCHAR') return call(node, 'cast_varchar', [node.child]);
    if (name === 'JSON') return call(node, 'to_json', [node.child]);
    const isWhole = /^(BIG|SMALL|TINY)?INT(EGER)?$/.test(name);
    return isWhole ? { ...node, child: call(unnamed(node), 'cast_whole', [node.child]) } : node;
  }

  /** Athena compares a varchar with nothing else; DuckDB would convert, and a query that works here would fail there. */
  function comparable(node: Node, left: Node, right: Node | undefined): Node {
    if (!right || left.class === 'SUBQUERY' || right.class === 'SUBQUERY') return left;
    const message = `${whereIs(node)}: Cannot apply operator: %s ${comparisons[node.type ?? '']} %s`;
    return call(unnamed(node), 'operator_comparable', [left, right, constant(node, message)]);
  }

  return { rewrite, tables, columnPositions };
}

function readable(type: string): string {
  return type.toLowerCase().replaceAll('_', ' ');
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value !== undefined && value !== null && value !== false && value !== '';
}
