type Test = (value: unknown) => boolean;

/**
 * Compiles an event filter pattern, as in a mapping's FilterCriteria. Throws for an operator that is none.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
 */
export function compilePattern(pattern: unknown): Test {
  if (!isObject(pattern)) throw new Error(`A filter pattern is a JSON object, not ${JSON.stringify(pattern)}`);
  const tests = Object.entries(pattern).map(([key, expected]): Test => {
    if (key === '$or' && Array.isArray(expected)) return anyOf(expected.map(compilePattern));
    const test = Array.isArray(expected) ? anyElement(anyOf(expected.map(compileRule))) : nested(expected);
    return event => test(isObject(event) ? event[key] : undefined);
  });
  return event => tests.every(test => test(event));
}

const operators: Record<string, (operand: unknown) => Test> = {
  exists: operand => value => (value !== undefined) === operand,
  prefix: operand => text(value => value.startsWith(String(operand))),
  suffix: operand => text(value => value.endsWith(String(operand))),
  'equals-ignore-case': operand => text(value => value.toLowerCase() === String(operand).toLowerCase()),
  wildcard(operand) {
    const parts = String(operand).split('*');
    const expression = parts.map(part => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')).join('.*');
    return text(value => new RegExp(`^${expression}$`, 's').test(value));
  },
  numeric(operand) {
    const bounds = Array.isArray(operand) ? operand : [];
    const tests = bounds.flatMap((sign, index) =>
      index % 2 === 0 ? [comparison(sign, Number(bounds[index + 1]))] : [],
    );
    return value => typeof value === 'number' && tests.every(test => test(value));
  },
  'anything-but'(operand) {
    const excluded = anyOf((Array.isArray(operand) ? operand : [operand]).map(compileRule));
    return value => value !== undefined && !excluded(value);
  },
};

function compileRule(rule: unknown): Test {
  if (!isObject(rule)) return value => value === rule;
  const [[name = '', operand] = []] = Object.entries(rule);
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (!operator) throw new Error(`Event filters know no operator ${JSON.stringify(name)}`);
  return operator(operand);
}

function comparison(sign: unknown, bound: number): (value: number) => boolean {
  if (sign === '=') return value => value === bound;
  if (sign === '<') return value => value < bound;
  if (sign === '<=') return value => value <= bound;
  if (sign === '>') return value => value > bound;
  if (sign === '>=') return value => value >= bound;
  throw new Error(`Event filters compare numbers by =, <, <=, > and >=, not by ${JSON.stringify(sign)}`);
}

function nested(pattern: unknown): Test {
  return anyElement(compilePattern(pattern));
}

/** A list in the event matches where one of its elements does. */
function anyElement(test: Test): Test {
  return value => (Array.isArray(value) && value.length > 0 ? value.some(test) : test(value));
}

function anyOf(tests: readonly Test[]): Test {
  return value => tests.some(test => test(value));
}

function text(test: (value: string) => boolean): Test {
  return value => typeof value === 'string' && test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
