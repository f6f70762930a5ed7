/** @file Work that its signal may stop by an error: in the middle of compiling a graph, or of a long read. */

/** Ends without an error where work threw the reason of its signal: what was found until then is kept. */
export async function* untilStopped<T>(
  work: AsyncGenerator<T, void, void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  try {
    yield* work;
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
  }
}

/** What work gives, or the other where its signal stops it; after the signal it is not begun. */
export async function unlessStopped<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
  otherwise: T,
): Promise<T> {
  if (signal?.aborted) return otherwise;
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    return otherwise;
  }
}
