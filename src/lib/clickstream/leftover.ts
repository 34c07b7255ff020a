import { isRecord, type JsonRecord } from './json.ts';
import { isAddressKey } from './privacy.ts';

/**
 * JSON text of what is left of `record` without the keys that have become columns; undefined where nothing is.
 * A known key that holds an object of known keys keeps what that has left; an address is never left, whatever holds it.
 * Built as text because copying into an object would let a key named `__proto__` set the copy's prototype.
 */
export function leftoverOf(
  record: JsonRecord,
  known: ReadonlySet<string>,
  nested: Readonly<Record<string, ReadonlySet<string>>> = {},
): string | undefined {
  let text = '';
  for (const key in record) {
    if (isAddressKey(key)) continue;
    const value = known.has(key) ? nestedLeftover(record[key], nested[key]) : JSON.stringify(record[key]);
    if (value !== undefined) text += `${text === '' ? '{' : ','}${JSON.stringify(key)}:${value}`;
  }
  return text === '' ? undefined : `${text}}`;
}

function nestedLeftover(value: unknown, known: ReadonlySet<string> | undefined): string | undefined {
  if (value === null) return undefined;
  // What a column could not take, such as an object or a flag where it wanted text, is not lost.
  if (known === undefined)
    return typeof value === 'object' || typeof value === 'boolean' ? JSON.stringify(value) : undefined;
  return isRecord(value) ? leftoverOf(value, known) : JSON.stringify(value);
}
