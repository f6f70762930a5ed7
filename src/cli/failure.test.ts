import { CommanderError, InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { BrokenRun, UsageError, UserError } from '../core/errors.js';
import { explainFailure } from './failure.js';
import { Interrupted } from './interrupt.js';

describe('explainFailure', () => {
  it('gives every kind of error its exit code', () => {
    const codes = [
      new UserError('a'),
      new UsageError('a'),
      new Interrupted(),
      new Error('a'),
      'thrown text',
      new CommanderError(1, 'commander.unknownOption', 'a'),
      new InvalidArgumentError('a'),
      new CommanderError(1, 'commander.help', '(outputHelp)'),
      new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'),
      new CommanderError(0, 'commander.version', '1.0.0'),
    ].map((error) => explainFailure(error, false).exitCode);
    expect(codes).toEqual([1, 2, 130, 1, 1, 2, 2, 2, 0, 0]);
  });

  it('says one line, without a stack', () => {
    expect(explainFailure(new UserError('no such unit'), false).message).toBe('no such unit');
    expect(explainFailure(new TypeError('x is not a function\nmore'), false).message).toBe(
      'unexpected TypeError: x is not a function (please report this; run again with --debug for the stack)',
    );
  });

  it('says how to go on where a run had found something', () => {
    const wayOn = 'superstim resume r goes on';
    const said = (cause: unknown) => explainFailure(new BrokenRun(cause, wayOn), false);
    expect(said(new UserError('lost'))).toEqual({ exitCode: 1, message: `lost; ${wayOn}` });
    expect(said(new TypeError('x')).message).toMatch(
      /^unexpected TypeError: x \(.*\); superstim resume r goes on$/,
    );
  });

  it('shows stack and cause with --debug', () => {
    const error = new UserError('could not write', { cause: new Error('EACCES') });
    const { message } = explainFailure(error, true);
    expect(message).toContain('could not write');
    expect(message).toContain('failure.test.ts');
    expect(message).toContain('caused by Error: EACCES');
  });

  it('leaves to commander what commander has said', () => {
    expect(explainFailure(new CommanderError(1, 'commander.unknownOption', 'a'), false).message).toBeNull();
  });
});
