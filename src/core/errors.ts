/** @file The errors a user can mend. Anything else that is thrown is a bug and keeps its stack trace. */

/** Exit codes of the command line: what `process.exitCode` becomes. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Something the user can mend: one sentence that says what was wrong, with what, and what to do. Exit code 1. */
export class UserError extends Error {
  override name = 'UserError';
  readonly exitCode: number = exitCodes.failed;
}

/** The request itself makes no sense (an unknown unit, a zero budget). Exit code 2. */
export class UsageError extends UserError {
  override name = 'UsageError';
  override readonly exitCode = exitCodes.usage;
}
