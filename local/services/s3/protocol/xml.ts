export type Content = string | number | boolean | undefined | readonly Content[] | { readonly [name: string]: Content };

/** One element with its children; an array repeats the element, undefined leaves it out. */
export function xml(name: string, content: Content): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map(item => xml(name, item)).join('');
  const escaped = () => String(content).replace(/[<>&"]|\p{Cc}/gu, char => `&#${char.codePointAt(0)};`);
  const children = typeof content === 'object' && Object.entries(content).map(([child, value]) => xml(child, value));
  return `<${name}>${children ? children.join('') : escaped()}</${name}>`;
}

/** What stands inside each `<name>`, as written: S3's request documents nest, but no element in itself. */
export function elements(document: string, name: string): string[] {
  return [...document.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, 'g'))].map(match => match[1] ?? '');
}

/** The text of the first `<name>`. */
export function text(document: string, name: string): string | undefined {
  return elements(document, name)[0]?.replace(/&(?:#(x?)([\da-f]+)|(\w+));/gi, (whole, hex, code, entity) => {
    if (code) return String.fromCodePoint(Number.parseInt(code, hex ? 16 : 10));
    return { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }[String(entity)] ?? whole;
  });
}
