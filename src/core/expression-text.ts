/** @file The text of an objective, read from its beginning to its end: what parsers of sums have in common. */
import { UsageError } from './errors.js';

export class ExpressionText {
  protected at = 0;

  constructor(protected readonly text: string) {}

  /** Throws UsageError where something is left. */
  end(): void {
    if (!this.match(/$/y)) this.fail('an operator was expected');
  }

  /** What stands here, after spaces, if it has this (sticky) pattern. */
  protected match(pattern: RegExp): RegExpExecArray | null {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  /** Throws UsageError that says where the text stops making sense. */
  protected fail(reason: string): never {
    const rest = this.text.slice(this.at);
    const where = rest === '' ? 'at its end' : `at "${rest}"`;
    throw new UsageError(`the objective "${this.text}" cannot be read ${where}: ${reason}`);
  }
}
