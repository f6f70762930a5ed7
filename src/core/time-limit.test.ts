import { expect, it } from 'vitest';
import { UserError } from './errors.js';
import { withTimeLimit } from './time-limit.js';

const late = () => new UserError('too late');

it('interrupts a regular expression that does not end', () => {
  const endless = () => /^(a+)+$/.test(`${'a'.repeat(60)}!`);
  expect(() => withTimeLimit(50, endless, late)).toThrow('too late');
});

it('gives what the function gives, and throws what it throws', () => {
  expect(withTimeLimit(1000, () => withTimeLimit(1000, () => [1], late), late)).toEqual([1]);
  const fails = () => {
    throw new UserError('its own');
  };
  expect(() => withTimeLimit(1000, fails, late)).toThrow(new UserError('its own'));
});
