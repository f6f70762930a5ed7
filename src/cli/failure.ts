/** @file What the command line makes of an error: a line on stderr and an exit code. */
import { CommanderError } from 'commander';
import { BrokenRun, exitCodes, UserError } from '../core/errors.js';
import { renameFields } from '../core/field.js';
import { optionOf } from './option-names.js';

export interface Failure {
  exitCode: number;
  /** Null when there is nothing (more) to say. */
  message: string | null;
}

/**
 * @param error - whatever was thrown
 * @param debug - with the stack
 */
export function explainFailure(error: unknown, debug: boolean): Failure {
  if (error instanceof CommanderError) return explainParsing(error);
  if (error instanceof BrokenRun) {
    const { exitCode, message } = explainFailure(error.cause, debug);
    return { exitCode, message: `${message}${debug ? '\n' : '; '}${error.wayOn}` };
  }
  const stack = error instanceof Error ? withCauses(error) : String(error);
  if (error instanceof UserError) {
    const message = renameFields(firstLine(error.message), optionOf);
    return { exitCode: error.exitCode, message: debug ? stack : message };
  }
  if (debug) return { exitCode: exitCodes.failed, message: stack };
  const what = firstLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return {
    exitCode: exitCodes.failed,
    message: `unexpected ${what} (please report this; run again with --debug for the stack)`,
  };
}

/** Commander has printed help, version or its complaint already. */
function explainParsing({ code, exitCode }: CommanderError): Failure {
  return {
    exitCode: exitCode === 0 || code === 'commander.version' ? exitCodes.ok : exitCodes.usage,
    message: null,
  };
}

function firstLine(message: string): string {
  return message.trim().split('\n', 1)[0] ?? '';
}

function withCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${withCauses(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
