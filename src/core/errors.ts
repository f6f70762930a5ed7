/** @file The errors that a user can fix. Anything else that is thrown is a bug and keeps its stack trace. */

/** Exit codes of the command line: what `process.exitCode` becomes. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** 128 and the number of the signal: SIGINT, which is Ctrl-C, SIGTERM, SIGHUP. */
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
} as const;

/** Something the user can fix: one sentence that says what was wrong, with what, and what to do. Exit code 1. */
export class UserError extends Error {
  override name = 'UserError';
  readonly exitCode: number = exitCodes.failed;
}

/** The request itself makes no sense (an unknown unit, a zero budget). Exit code 2. */
export class UsageError extends UserError {
  override name = 'UsageError';
  override readonly exitCode = exitCodes.usage;
}

/** An error ended a run, whose folder has what it had found. `cause` is the error. */
export class BrokenRun extends UserError {
  override name = 'BrokenRun';

  /** @param wayOn - how to go on, as the end of a sentence */
  constructor(
    override readonly cause: unknown,
    readonly wayOn: string,
  ) {
    super(`${cause instanceof Error ? cause.message : String(cause)}; ${wayOn}`);
  }
}

/** A run came to its end, but its folder could not keep the result. */
export class UnkeptResult extends UserError {
  override name = 'UnkeptResult';

  constructor(
    message: string,
    readonly result: unknown,
  ) {
    super(message);
  }
}
