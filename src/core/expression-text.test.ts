import { expect, it } from 'vitest';
import { UsageError } from './errors.js';
import { ExpressionText } from './expression-text.js';

/** Numbers with plus signs between them. */
class Sum extends ExpressionText {
  read(): number {
    let sum = this.number();
    while (this.match(/\+/y)) sum += this.number();
    this.end();
    return sum;
  }

  private number(): number {
    return Number((this.match(/\d+/y) ?? this.fail('a number was expected'))[0]);
  }
}

it('reads from the beginning to the end, past spaces', () => {
  expect(new Sum(' 1 +20\t+ 3 ').read()).toBe(24);
});

it.each([
  ['1 + x2', 'the objective "1 + x2" cannot be read at "x2": a number was expected'],
  ['1 +', 'the objective "1 +" cannot be read at its end: a number was expected'],
  ['1 2', 'the objective "1 2" cannot be read at "2": an operator was expected'],
])('says where "%s" stops making sense', (text, message) => {
  expect(() => new Sum(text).read()).toThrow(new UsageError(message));
});
