const graphemes = new Intl.Segmenter();
// East Asian Wide and Fullwidth blocks of UAX #11, and emoji: two columns in every common terminal.
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/**
 * The text with its control characters written out. What trackers send comes from strangers, and an escape sequence in
 * an event's name must not reach the operator's terminal.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, escaped);
}

/** The same for a text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

function escaped(character: string): string {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How many columns of a terminal the text takes. */
export function displayWidth(text: string): number {
  if (isAscii(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/** The text, or as much of it as fits with an ellipsis at its end. */
export function truncated(text: string, maxWidth: number): string {
  if (displayWidth(text) <= maxWidth) return text;
  let shown = '';
  let width = 1;
  for (const { segment } of graphemes.segment(text)) {
    width += wide.test(segment) ? 2 : 1;
    if (width > maxWidth) break;
    shown += segment;
  }
  return `${shown}…`;
}
