/** @file Looking up in a table by a name that others wrote. */

/** The entry of that name; never what every object inherits (`constructor`, `__proto__`). */
export function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
