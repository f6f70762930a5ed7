import { expect, it } from 'vitest';
import { UsageError } from './errors.js';
import { matchUnit, readUnit, type UnitForm } from './unit-form.js';

const seats: UnitForm<readonly [row: number, seat: number]> = {
  example: 'R1.S2 (a seat)',
  parse: [
    [/^R(\d+)\.S(\d+)$/, ([row, seat]) => [Number(row), Number(seat)]],
    [/^S(\d+)$/, ([seat]) => [0, Number(seat)]],
  ],
  format: ([row, seat]) => `R${row}.S${seat}`,
};
const doors: UnitForm<readonly [row: number, seat: number]> = {
  example: 'door',
  parse: [[/^(?:door|S7)$/, () => [-1, -1]]],
  format: () => 'door',
};

it('a name is read by the first pattern of all forms that it has', () => {
  const forms = [seats, doors];
  expect(['R3.S4', 'S7', 'door', 'R3'].map((name) => matchUnit(name, forms))).toEqual([
    [3, 4],
    [0, 7],
    [-1, -1],
    null,
  ]);
  expect(readUnit(seats.format([3, 4]), forms)).toEqual([3, 4]);
  expect(() => readUnit('R3', forms)).toThrow(
    new UsageError('"R3" names no unit: wanted is R1.S2 (a seat), door'),
  );
});
