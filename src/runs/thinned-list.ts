/** @file A list of bounded length that stands for one without bounds. */

/**
 * Every so many items of all that come, evenly, and always the first and the last. When the list is full every second
 * one is taken out.
 */
export class ThinnedList<T> {
  private list: T[];
  private stride = 1;

  /**
   * @param items - of a list before; it is not changed
   * @param seen - how many came to it
   * @param limit - the list has fewer than twice as many
   */
  constructor(
    items: readonly T[],
    public seen: number,
    private readonly limit: number,
  ) {
    this.list = [...items];
    while (Math.ceil(seen / this.stride) > items.length) this.stride *= 2;
  }

  get items(): readonly T[] {
    return this.list;
  }

  push(item: T): void {
    // The last one was kept for being the last.
    if (this.seen > 0 && (this.seen - 1) % this.stride !== 0) this.list.pop();
    this.list.push(item);
    this.seen++;
    if (this.list.length < 2 * this.limit) return;
    this.stride *= 2;
    this.list = this.list.filter((_, i) => i % 2 === 0 || i === this.list.length - 1);
  }
}
