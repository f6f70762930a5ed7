/** @file Forms of names: how the names of one kind of unit are taken apart and put together. */
import { UsageError } from './errors.js';

export interface UnitForm<U> {
  /** Names, and what they mean, for people. */
  readonly example: string;
  /** Each a pattern and the unit that a match means; the first that matches counts. */
  readonly parse: readonly (readonly [pattern: RegExp, unit: (parts: readonly string[]) => U])[];
  /** The name; `parse` gives the unit back. */
  format(unit: U): string;
}

/** The unit that a name means, or null when it has none of the forms. Ranges are not checked. */
export function matchUnit<U>(name: string, forms: readonly UnitForm<U>[]): U | null {
  for (const { parse } of forms) {
    for (const [pattern, unit] of parse) {
      const match = pattern.exec(name);
      if (match) return unit(match.slice(1));
    }
  }
  return null;
}

/** Likewise. Throws UsageError that lists the forms. */
export function readUnit<U>(name: string, forms: readonly UnitForm<U>[]): U {
  const unit = matchUnit(name, forms);
  if (unit) return unit;
  throw new UsageError(
    `"${name}" names no unit: wanted is ${forms.map(({ example }) => example).join(', ')}`,
  );
}
