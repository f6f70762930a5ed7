import { Command, InvalidArgumentError, Option } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addOutputOptions,
  engineOption,
  integer,
  modelOption,
  number,
  repeated,
  seedOption,
  single,
} from './options.js';

describe('integer', () => {
  it('takes whole numbers within bounds', () => {
    const parse = integer({ min: 1, max: 100 });
    fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), (value) => parse(String(value)) === value));
  });

  it.each(['0', '101', '-3', '1.5', '1e2', '0x10', '', ' ', 'ten', 'Infinity'])('refuses "%s"', (text) => {
    expect(() => integer({ min: 1, max: 100 })(text)).toThrow(InvalidArgumentError);
  });

  it('says what it would take', () => {
    expect(() => integer({ min: 1 })('0')).toThrow('It must be a whole number of at least 1.');
    expect(() => integer({ min: 1, max: 8 })('9')).toThrow('It must be a whole number from 1 to 8.');
    expect(() => integer()('x')).toThrow('It must be a whole number.');
  });
});

describe('number', () => {
  it('takes numbers', () => {
    expect(number()('-2.5e3')).toBe(-2500);
    expect(number({ above: 0 })('0.001')).toBe(0.001);
  });

  it.each(['', 'NaN', 'Infinity', '1,5', '3 s'])('refuses "%s"', (text) => {
    expect(() => number()(text)).toThrow(InvalidArgumentError);
  });

  it('excludes the bound it must be above', () => {
    expect(() => number({ above: 0 })('0')).toThrow('It must be a number above 0.');
  });
});

describe('shared options', () => {
  const command = () =>
    addOutputOptions(
      new Command('probe')
        .addOption(modelOption())
        .addOption(engineOption())
        .addOption(seedOption())
        .addOption(new Option('--unit <unit>').argParser(repeated((text) => text))),
    )
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });

  it('have defaults and parse', () => {
    const plain = command().parse([], { from: 'user' }).opts();
    expect(plain).toEqual({ engine: 'onnx', seed: 0, color: true });
    const given = command().parse(['--unit', 'L1.H1', '--unit', 'L1.H2', '--seed', '9', '--no-color', '-q'], {
      from: 'user',
    });
    expect(given.opts()).toMatchObject({ unit: ['L1.H1', 'L1.H2'], seed: 9, color: false, quiet: true });
  });

  it('refuse an unknown engine and a seed that is none', () => {
    expect(() => command().parse(['--engine', 'gpu'], { from: 'user' })).toThrow(/onnx, tensorflow, cpu/);
    expect(() => command().parse(['--seed', '-1'], { from: 'user' })).toThrow(/from 0 to 4294967295/);
  });
});

it('an option that may be given once refuses a second, which else would win in silence', () => {
  expect(single('L0.H1', undefined)).toBe('L0.H1');
  expect(() => single('L0.H2', 'L0.H1')).toThrow('It was given before, as "L0.H1"; it may be given once.');
});
