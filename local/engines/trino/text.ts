/** Trino SQL as text: what must change before DuckDB's parser can read it. Everything else is left for that parser to refuse. */

/** A statement that Athena would not run, in Athena's words. */
export class TrinoError extends Error {
  override readonly name = 'TrinoError';
}

interface Token {
  text: string;
  readonly at: number;
}

const tokens = /--[^\n]*|\/\*[\s\S]*?\*\/|\s+|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][\w$]*|\d[\w.]*|::|:=|[\s\S]/g;
const insignificant = /^(--|\/\*|\s)/;
/** DuckDB reads these, Athena does not. */
const foreign = new Set(['::', ':=', '{', '}', '`', '$', '#']);

/**
 * Types, aggregates and windows in DuckDB's spelling, `?` replaced by `parameters` (SQL literals). Keeps every token where it is as
 * far as it can, so that error positions are those of the text as written.
 */
export function readableByDuckdb(sql: string, parameters: readonly string[] = []): string {
  const all: Token[] = [...sql.matchAll(tokens)].map(({ 0: text, index }) => ({ text, at: index }));
  const significant = all.filter(({ text }) => !insignificant.test(text));
  const values = [...parameters];

  function is(index: number, word: string): boolean {
    return significant[index]?.text.toLowerCase() === word;
  }

  function closing(open: number): Token | undefined {
    let depth = 0;
    return significant.slice(open).find(({ text }) => {
      if (text === '(') depth++;
      if (text === ')') depth--;
      return depth === 0;
    });
  }

  function argumentsBefore(open: number, end: Token): number {
    let depth = 0;
    let commas = 0;
    for (const token of significant.slice(open, significant.indexOf(end))) {
      if ('(['.includes(token.text)) depth++;
      if (')]'.includes(token.text)) depth--;
      if (token.text === ',' && depth === 1) commas++;
    }
    return commas + 1;
  }

  significant.forEach((token, index) => {
    const next = significant[index + 1];
    const adjacentText = next?.at === token.at + token.text.length && next.text.startsWith("'");
    const where = position(sql, token.at);
    if (foreign.has(token.text)) throw new TrinoError(`${where}: mismatched input '${token.text}'`);
    if (token.text === ';') {
      if (next) throw new TrinoError(`Only one sql statement is allowed. Got: ${sql}`);
      token.text = '';
    } else if (token.text === '?') {
      const value = values.shift();
      if (value === undefined) throw new TrinoError('Incorrect number of parameters: too few ExecutionParameters');
      token.text = `(${value})`;
    } else if (is(index, 'array') && is(index + 1, '(')) {
      const end = closing(index + 1);
      if (end) end.text = '[]';
      if (next) next.text = ' ';
      token.text = '     ';
    } else if (is(index, 'if') && is(index + 1, '(')) {
      // DuckDB's parser knows IF with three arguments only.
      const end = closing(index + 1);
      if (end && argumentsBefore(index + 1, end) === 2) end.text = ', NULL)';
    } else if (/^(var)?char$/i.test(token.text) && is(index + 1, '(')) {
      // DuckDB ignores the length; Athena cuts the text, or pads it.
      throw new TrinoError(`${where}: The local Athena has no ${token.text}(n); use varchar, with substr to cut`);
    } else if (token.text === ')' && is(index + 1, 'within') && is(index + 2, 'group') && is(index + 3, '(')) {
      for (const moved of significant.slice(index, index + 4)) moved.text = ' '.repeat(moved.text.length);
    } else if (token.text === ')' && (is(index + 1, 'ignore') || is(index + 1, 'respect')) && is(index + 2, 'nulls')) {
      token.text = ' ';
      (significant[index + 2] as Token).text += ')';
    } else if (is(index, 'values') && next && next.text !== '(') {
      const what = 'VALUES without parentheses around each row';
      throw new TrinoError(`NOT_SUPPORTED: ${where}: The local Athena does not do ${what}; AWS does`);
    } else if (is(index, 'json') && next?.text.startsWith("'")) {
      token.text = 'json_parse(';
      next.text += ')';
    } else if (is(index, 'decimal') && next?.text.startsWith("'")) {
      // DuckDB would make a decimal(18,3) of any; of a number, one with its digits.
      const [, whole = '', fraction = ''] = /^'[+-]?(\d*)\.?(\d*)'$/.exec(next.text) ?? [];
      if (!whole && !fraction) throw new TrinoError(`${where}: Invalid decimal literal: ${next.text}`);
      token.text = `decimal(${whole.length + fraction.length},${fraction.length})`;
    } else if (is(index, 'decimal') && !is(index + 1, '(')) {
      token.text = 'decimal(38,0)';
    } else if (adjacentText && is(index, 'x')) {
      token.text = 'from_hex(';
      next.text += ')';
    } else if (adjacentText && /^([ebu]|u&)$/i.test(token.text)) {
      throw new TrinoError(`${where}: The local Athena reads no ${token.text}'…' literal`);
    }
  });
  if (values.length > 0) throw new TrinoError('Incorrect number of parameters: too many ExecutionParameters');
  return all.map(({ text }) => text).join('');
}

/** `line 1:8`, as Trino counts: from one. `at` is an offset in characters. */
export function position(sql: string, at: number): string {
  const before = sql.slice(0, at).split('\n');
  return `line ${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

// MySQL's letters: https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
const mysql: Readonly<Record<string, string>> = {
  ...{ a: '%a', b: '%b', c: '%-m', d: '%d', e: '%-d', f: '%f', H: '%H', h: '%I', I: '%I', i: '%M', j: '%j', k: '%-H' },
  ...{
    l: '%-I',
    M: '%B',
    m: '%m',
    p: '%p',
    r: '%I:%M:%S %p',
    S: '%S',
    s: '%S',
    T: '%H:%M:%S',
    v: '%V',
    W: '%A',
    x: '%G',
  },
  ...{ Y: '%Y', y: '%y', '%': '%%' },
};

// Joda's: https://www.joda.org/joda-time/key_format.html
const joda: Readonly<Record<string, string>> = {
  ...{
    yyyy: '%Y',
    YYYY: '%Y',
    y: '%Y',
    yy: '%y',
    MMMM: '%B',
    MMM: '%b',
    MM: '%m',
    M: '%-m',
    dd: '%d',
    d: '%-d',
    EEEE: '%A',
  },
  ...{
    EEE: '%a',
    E: '%a',
    e: '%u',
    D: '%-j',
    DDD: '%j',
    a: '%p',
    HH: '%H',
    H: '%-H',
    hh: '%I',
    h: '%-I',
    mm: '%M',
    m: '%-M',
  },
  ...{ ss: '%S', s: '%-S', SSS: '%g', xxxx: '%G', ww: '%V', w: '%-V', Z: '%z', z: 'UTC' },
};

/** A date pattern of MySQL (`date_format`) or Joda (`format_datetime`) as strftime's. Throws where a letter has no counterpart. */
export function strftimePattern(kind: 'mysql' | 'joda', pattern: string): string {
  const parts = kind === 'mysql' ? /%(.)|([^%])/g : /'([^']*)'|([A-Za-z])\2*|[\s\S]/g;
  return pattern.replace(parts, (part: string, quoted: string | undefined) => {
    if (kind === 'mysql') return part.startsWith('%') ? known(mysql[part.slice(1)], part) : part;
    if (part.startsWith("'")) return (quoted || "'").replaceAll('%', '%%');
    return /[A-Za-z]/.test(part) ? known(joda[part], part) : part.replace('%', '%%');
  });
}

function known(counterpart: string | undefined, part: string): string {
  if (counterpart) return counterpart;
  throw new TrinoError(`INVALID_FUNCTION_ARGUMENT: The local Athena does not know ${part} in a date pattern`);
}
