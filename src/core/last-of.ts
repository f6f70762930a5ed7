/** @file Generators whose steps nobody looks at. */

/** What a generator returns at its end. */
export async function lastOf<T>(steps: AsyncGenerator<unknown, T, void>): Promise<T> {
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}
