/** @file Generators that are run to their end. */

/** What a generator returns at its end; `onStep` sees every step. */
export async function lastOf<Step, T>(
  steps: AsyncGenerator<Step, T, void>,
  onStep?: (step: Step) => void,
): Promise<T> {
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
    onStep?.(next.value);
  }
}
