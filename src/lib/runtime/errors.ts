interface AppErrorOptions {
  /** Set where the same request may succeed later. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A failed request that its sender should hear of. `message` is shown to them: a sentence to act on. */
export class AppError extends Error {
  /** HTTP status. */
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
