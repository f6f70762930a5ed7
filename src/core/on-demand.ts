/** @file What takes a while to make, by key: each is made when it is first asked for. */

export class OnDemand<K, T extends { dispose(): unknown }> {
  private readonly made = new Map<K, Promise<T>>();

  /** What failed is made again when it is asked for again. */
  get(key: K, make: () => Promise<T>): Promise<T> {
    const known = this.made.get(key);
    if (known) return known;
    const made = make();
    this.made.set(key, made);
    made.catch(() => {
      if (this.made.get(key) === made) this.made.delete(key);
    });
    return made;
  }

  /** Waits for what is still being made, and forgets all. */
  async dispose(): Promise<void> {
    const all = [...this.made.values()];
    this.made.clear();
    for (const result of await Promise.allSettled(all))
      if (result.status === 'fulfilled') await result.value.dispose();
  }
}
