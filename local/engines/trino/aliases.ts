import { isNode, type Node } from './tree.ts';

/** Outputs without a name, until `*` is expanded and their places are known: then `_col0`, `_col1`. */
export const unnamedColumn = '_col';

/** Names the result columns of the statement that have no name of their own. */
export function nameColumns(tree: Node): Node {
  const name = (node: Node): Node => {
    if (isNode(node.left)) return { ...node, left: name(node.left) };
    const items = (node.select_list as readonly Node[] | undefined)?.map(item =>
      item.alias || item.class === 'COLUMN_REF' || item.class === 'STAR' ? item : { ...item, alias: unnamedColumn },
    );
    return items ? { ...node, select_list: items } : node;
  };
  const statements = tree.statements as readonly { node: Node }[];
  return { ...tree, statements: statements.map(statement => ({ ...statement, node: name(statement.node) })) };
}

/**
 * In Athena a column's alias is known to ORDER BY alone; DuckDB offers it to WHERE, GROUP BY, HAVING and the other columns.
 * Where one of these names an alias, the alias is hidden until the SELECT is done, so that only a column can be meant.
 */
export function hideAliases(select: Node): Node {
  const items = select.select_list as readonly Node[];
  const hidden = new Map(
    items.flatMap(({ alias }, index) => (alias ? [[alias.toLowerCase(), `${alias}\u2060${index}`]] : [])),
  );
  const elsewhere = [select.where_clause, select.group_expressions, select.having].flatMap(namesIn);
  const amongItems = items.flatMap(item => namesIn(item).filter(name => name !== item.alias?.toLowerCase()));
  if (![...elsewhere, ...amongItems].some(name => hidden.has(name))) return select;

  const hide = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hide);
    if (!isNode(value)) return value;
    const name = bareName(value);
    const other = name === undefined ? undefined : hidden.get(name);
    if (other !== undefined) return { ...value, column_names: [other] };
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, hide(member)]));
  };
  const inner = {
    ...select,
    select_list: items.map((item, index) => (item.alias ? { ...item, alias: `${item.alias}\u2060${index}` } : item)),
    modifiers: hide(select.modifiers),
  };
  return renamed(inner, items);
}

/** The names of columns that an expression has without a table before them; not those within its subqueries. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isNode(value) || value.select_list) return [];
  const name = bareName(value);
  return name === undefined ? Object.values(value).flatMap(namesIn) : [name];
}

function bareName(node: Node): string | undefined {
  const names = node.class === 'COLUMN_REF' ? (node.column_names as readonly string[]) : [];
  return names.length === 1 ? names[0]?.toLowerCase() : undefined;
}

/** `SELECT * RENAME (hidden AS alias, …) FROM (inner)` */
function renamed(inner: Node, items: readonly Node[]): Node {
  const renames = items.flatMap(({ alias }, index) => {
    const key = { catalog: '', schema: '', table: '', column: `${alias}\u2060${index}` };
    return alias ? [{ key, value: alias }] : [];
  });
  const star = {
    ...{
      class: 'STAR',
      type: 'STAR',
      alias: '',
      relation_name: '',
      exclude_list: [],
      replace_list: [],
      columns: false,
    },
    ...{ expr: null, qualified_exclude_list: [], rename_list: renames },
  };
  const from = {
    ...{ type: 'SUBQUERY', alias: '', sample: null, column_name_alias: [] },
    subquery: { node: inner, named_param_map: [] },
  };
  return {
    ...{ type: 'SELECT_NODE', modifiers: [], cte_map: { map: [] }, select_list: [star], from_table: from },
    ...{ where_clause: null, group_expressions: [], group_sets: [], aggregate_handling: 'STANDARD_HANDLING' },
    ...{ having: null, sample: null, qualify: null },
  };
}
