import { parseArgs } from 'node:util';
import { commonOptions, type OptionSpec, type OptionTable, type ValuesOf } from './command.ts';
import { UsageError } from './errors.ts';
import { suggestion } from './nearest.ts';

export interface Arguments {
  readonly values: ValuesOf<OptionTable & typeof commonOptions>;
  readonly positionals: readonly string[];
}

/** Reads what follows a command's name. Throws UsageError, naming the option and what it takes. */
export function parseArguments(args: readonly string[], own: OptionTable): Arguments {
  const options: OptionTable = { ...own, ...commonOptions };
  const { tokens, positionals } = parseArgs({
    args: [...args],
    // Not strict, because its errors know no near names. Everything it would refuse is refused below.
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, spec]) => [name, { type: spec.kind === 'flag' ? 'boolean' : 'string' }]),
    ),
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const name = token.name === 'h' ? 'help' : token.name;
    given.set(name, [...(given.get(name) ?? []), checked(token.rawName, name, token.value, options)]);
  }
  const values = Object.entries(options).map(([name, spec]) => [name, optionValue(name, spec, given.get(name))]);
  return { values: Object.fromEntries(values) as Arguments['values'], positionals };
}

function checked(rawName: string, name: string, value: string | undefined, options: OptionTable): string {
  const spec = Object.hasOwn(options, name) ? options[name] : undefined;
  if (!spec) {
    const names = Object.keys(options).map(option => `--${option}`);
    throw new UsageError(`There is no option ${rawName}.${suggestion(rawName, names)}`);
  }
  if (spec.kind === 'flag') {
    if (value !== undefined) throw new UsageError(`--${name} takes no value.`);
    return '';
  }
  // What looks like an option is one that was meant, as in `--time --limit 5`; `--delimiter=-` still says a dash.
  if (value === undefined || (value.startsWith('--') && Object.hasOwn(options, value.slice(2)))) {
    throw new UsageError(`--${name} needs a value: --${name} ${spec.placeholder}.`);
  }
  return value;
}

function optionValue(name: string, spec: OptionSpec, given: readonly string[] | undefined): unknown {
  if (spec.kind === 'flag') return given !== undefined;
  if (spec.kind === 'text' && spec.multiple) return given ?? [];
  if (given === undefined) return spec.default;
  const [value = '', another] = given;
  if (another !== undefined) throw new UsageError(`--${name} is given twice.`);
  if (spec.kind === 'count') return countOf(name, value);
  if (spec.choices && !spec.choices.includes(value)) {
    throw new UsageError(`--${name} is one of ${spec.choices.join(', ')}, not "${value}".`);
  }
  return value;
}

function countOf(name: string, value: string): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(count)) {
    throw new UsageError(`--${name} is a whole number, not "${value}".`);
  }
  return count;
}
