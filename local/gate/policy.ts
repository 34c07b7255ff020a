/** An IAM policy document, as templates carry it once their intrinsic functions are resolved. */
export interface PolicyDocument {
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: OneOrMany;
  readonly NotAction?: OneOrMany;
  readonly Resource?: OneOrMany;
  readonly NotResource?: OneOrMany;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany>>>>;
}

type OneOrMany = string | readonly string[];

export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys in lower case (`aws:securetransport`) with the values that the request has. */
  readonly conditions?: Readonly<Record<string, string>>;
}

export type Decision =
  | { readonly kind: 'allowed'; readonly by: readonly PolicyStatement[] }
  | { readonly kind: 'denied'; readonly by: PolicyStatement }
  /** No statement allows it. */
  | { readonly kind: 'missing' };

/**
 * Decides as IAM does for identity policies: an explicit deny wins, then any allow, else nothing allows it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function decide(policies: readonly PolicyDocument[], request: PolicyRequest): Decision {
  const matching = policies.flatMap(statementsOf).filter(statement => applies(statement, request));
  const denial = matching.find(({ Effect }) => Effect === 'Deny');
  if (denial) return { kind: 'denied', by: denial };
  return matching.length > 0 ? { kind: 'allowed', by: matching } : { kind: 'missing' };
}

export function statementsOf(policy: PolicyDocument): readonly PolicyStatement[] {
  return many(policy.Statement);
}

function applies(statement: PolicyStatement, { action, resource, conditions = {} }: PolicyRequest): boolean {
  const { Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  const isAction = Action === undefined ? !matchesAny(NotAction, action, true) : matchesAny(Action, action, true);
  const isResource = Resource === undefined ? !matchesAny(NotResource, resource) : matchesAny(Resource, resource);
  if (!isAction || !isResource) return false;
  return Object.entries(Condition).every(([operator, tests]) =>
    Object.entries(tests).every(([key, wanted]) => holds(operator, conditions[key.toLowerCase()], many(wanted))),
  );
}

function matchesAny(patterns: OneOrMany | undefined, value: string, ignoreCase = false): boolean {
  return many(patterns ?? []).some(pattern => matches(pattern, value, ignoreCase));
}

/** IAM's wildcards: `*` any characters, `?` one. */
function matches(pattern: string, value: string, ignoreCase = false): boolean {
  if (pattern === '*') return true;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, ignoreCase ? 'is' : 's').test(value);
}

type Comparison = (actual: string, wanted: string) => boolean;

const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: (actual, wanted) => actual === wanted,
  StringEqualsIgnoreCase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  StringLike: (actual, wanted) => matches(wanted, actual),
  ArnEquals: (actual, wanted) => matches(wanted, actual),
  ArnLike: (actual, wanted) => matches(wanted, actual),
  Bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: (actual, wanted) => Number(actual) === Number(wanted),
  NumericLessThan: (actual, wanted) => Number(actual) < Number(wanted),
  NumericLessThanEquals: (actual, wanted) => Number(actual) <= Number(wanted),
  NumericGreaterThan: (actual, wanted) => Number(actual) > Number(wanted),
  NumericGreaterThanEquals: (actual, wanted) => Number(actual) >= Number(wanted),
};

/** One condition: `StringNotLikeIfExists` is read as its parts. Throws for an operator that is not known here. */
function holds(operator: string, actual: string | undefined, wanted: readonly string[]): boolean {
  if (operator === 'Null') return (actual === undefined) === (String(wanted[0]) === 'true');
  const ifExists = operator.endsWith('IfExists');
  const base = ifExists ? operator.slice(0, -'IfExists'.length) : operator;
  const negated = /^(String|Arn|Numeric)Not/.test(base);
  const compare = comparisons[negated ? base.replace('Not', '') : base];
  if (!compare) throw new Error(`The local cloud does not know the policy condition ${operator}`);
  // A negated operator holds for an absent key; a plain one does not, unless it says IfExists.
  if (actual === undefined) return ifExists || negated;
  const isMet = wanted.some(value => compare(actual, String(value)));
  return negated ? !isMet : isMet;
}

function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
