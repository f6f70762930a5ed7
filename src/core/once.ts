/** @file Values that are computed when first asked for. */

/** Computes at the first call only. */
export function once<T>(compute: () => T): () => T {
  let result: { value: T } | undefined;
  return () => {
    result ??= { value: compute() };
    return result.value;
  };
}

/**
 * Computes at the first call with each key only.
 *
 * @param results - where the values are kept: a `WeakMap` keeps none longer than its key
 */
export function onceEach<Key, Value extends object>(
  compute: (key: Key) => Value,
  results: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown } = new Map(),
): (key: Key) => Value {
  return (key) => {
    const value = results.get(key) ?? compute(key);
    results.set(key, value);
    return value;
  };
}
