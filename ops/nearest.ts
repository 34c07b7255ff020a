/** The name closest to what was typed, where one is close enough that it may have been meant. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const maxDistance = Math.max(1, Math.floor(typed.length / 3));
  const ranked = names
    .map(name => ({ name, distance: distanceBetween(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= maxDistance || (typed.length > 1 && name.startsWith(typed)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

/** ` Did you mean "x"?`, or nothing where no name is near. */
export function suggestion(typed: string, names: readonly string[]): string {
  const name = nearest(typed, names);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}

/** Levenshtein: insertions, deletions and substitutions between two words. */
function distanceBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
