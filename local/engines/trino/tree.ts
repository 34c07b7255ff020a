/** DuckDB's syntax tree as `json_serialize_sql` writes it and `json_deserialize_sql` reads it. */

/** Those members that are looked at; a node keeps all the others. */
export interface Node {
  readonly class?: string;
  readonly type?: string;
  readonly alias?: string;
  readonly query_location?: number | undefined;
  readonly function_name?: string;
  readonly is_operator?: boolean;
  readonly children?: readonly Node[];
  readonly left?: Node;
  readonly right?: Node;
  readonly input?: Node;
  readonly lower?: Node;
  readonly [member: string]: unknown;
}

// In V8 and Node 24, not yet in TypeScript's library: https://github.com/tc39/proposal-json-parse-with-source
const sourceJson = JSON as unknown as { rawJSON(text: string): unknown; isRawJSON(value: unknown): boolean };

/** Numbers keep the digits they came with: a large id in a query stays that id, and 10.0 no whole number. */
export function parseTree(json: string): Node {
  const keepDigits = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source && String(value) !== context.source
      ? sourceJson.rawJSON(context.source)
      : value;
  return JSON.parse(json, keepDigits) as Node;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !sourceJson.isRawJSON(value);
}

/** A call in the place of `node`, under its alias. */
export function call(node: Node, name: string, children: readonly unknown[]): Node {
  return {
    ...{ class: 'FUNCTION', type: 'FUNCTION', alias: node.alias ?? '', query_location: node.query_location },
    ...{
      function_name: name,
      schema: '',
      catalog: '',
      children: children as readonly Node[],
      filter: null,
      is_operator: false,
      export_state: false,
    },
    ...{ order_bys: { type: 'ORDER_MODIFIER', orders: [] }, distinct: false },
  };
}

export function unnamed(node: Node): Node {
  return { ...node, alias: '' };
}

export function operator(node: Node, name: string, children: readonly unknown[]): Node {
  return { ...call(node, name, children), is_operator: true };
}

export function constant(node: Node, value: string | number): Node {
  const id = typeof value === 'string' ? 'VARCHAR' : 'INTEGER';
  return {
    ...{ class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: node.query_location },
    value: { type: { id, type_info: null }, is_null: false, value },
  };
}

/** A double such as 2.5e0 would be printed as the decimal 2.5; it must be said that it is one. */
export function typedConstant(node: Node): Node {
  const { type, value } = node.value as { type: { id: string }; value: unknown };
  if (type.id !== 'DOUBLE') return node;
  const child = constant(node, JSON.stringify(value));
  const cast = { class: 'CAST', type: 'OPERATOR_CAST', child, cast_type: type, try_cast: false };
  return { ...cast, alias: node.alias ?? '', query_location: node.query_location } as Node;
}

/** The text of a string literal; undefined for anything else. */
export function constantText(node: Node): string | undefined {
  const value = node.class === 'CONSTANT' ? (node.value as Node).value : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** `INTERVAL '1' DAY`, or such a literal negated or multiplied. */
export function isInterval(node: Node | undefined): boolean {
  if (!node) return false;
  if (node.is_operator) return /^[*-]$/.test(String(node.function_name)) && node.children?.some(isInterval) === true;
  return isIntervalLiteral(node);
}

/** The parser makes of it `to_days(CAST(… AS INTEGER))`; a person's own call would have no CAST without a place in the text. */
export function isIntervalLiteral(node: Node): boolean {
  return (
    /^to_(\w*seconds|minutes|hours|days|weeks|months|quarters|years)$/.test(String(node.function_name)) &&
    node.children?.[0]?.class === 'CAST'
  );
}
