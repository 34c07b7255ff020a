export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A non-empty string, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const surrogateEscape = /\\ud[89a-f]/i;
const escapes = /\\(?:u(?:d[89ab][\da-f]{2}(\\ud[c-f][\da-f]{2})?|d[c-f][\da-f]{2})|.)/gis;

/**
 * JSON.parse that lets no half of a surrogate pair through: V8 would carry it along, but the lake's readers refuse the
 * whole file over it. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
  // Few bodies have any \u escape at all, and `includes` finds that out ten times faster than the expression.
  return JSON.parse(text.includes('\\u') && surrogateEscape.test(text) ? mendEscapes(text) : text);
}

// Every escape is matched, so that an escaped backslash before a harmless "ud800" is not taken for one.
function mendEscapes(text: string): string {
  return text.replace(escapes, (sequence, low) => (surrogateEscape.test(sequence) && !low ? '\\ufffd' : sequence));
}
