/** A command that was called wrongly: told in a sentence, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that could not do its work: told in a sentence, exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** What went wrong, in the words of the innermost error that has any (fetch hides its reason in `cause`). */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || codeOf(error) || error.name;
}

/** The system's or SDK's code for an error, `ECONNREFUSED`, wherever in its causes it is. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
