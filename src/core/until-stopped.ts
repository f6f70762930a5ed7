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
