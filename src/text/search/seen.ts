/** @file Which rows were seen: a hash of 53 bits each, so that millions take little memory and travel as data. */

/** Slots of the empty table. */
const FEWEST = 1024;
const EMPTY = -1;

/** A set of rows; two rows out of ten million are mistaken for one with a probability of about 1/200. */
export class SeenRows {
  private table = new Float64Array(FEWEST).fill(EMPTY);
  size = 0;

  /** @returns whether the row was not there before */
  add(row: Int32Array): boolean {
    return this.addHash(hashOf(row));
  }

  /** All of it as base64: float64 in little endian. */
  get data(): string {
    const hashes = this.table.filter((hash) => hash !== EMPTY);
    return Buffer.from(hashes.buffer).toString('base64');
  }

  /** Adds what `data` gave. */
  addData(data: string): void {
    const bytes = Buffer.from(data, 'base64');
    for (let at = 0; at + 8 <= bytes.length; at += 8) this.addHash(bytes.readDoubleLE(at));
  }

  private addHash(hash: number): boolean {
    if (2 * this.size >= this.table.length) this.grow();
    const slot = this.slotOf(hash);
    if (this.table[slot] === hash) return false;
    this.table[slot] = hash;
    this.size++;
    return true;
  }

  private slotOf(hash: number): number {
    const mask = this.table.length - 1;
    let slot = hash % this.table.length;
    while (this.table[slot] !== EMPTY && this.table[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const before = this.table;
    this.table = new Float64Array(2 * before.length).fill(EMPTY);
    for (const hash of before) if (hash !== EMPTY) this.table[this.slotOf(hash)] = hash;
  }
}

/** Two multiplicative hashes (Murmur3's mixing) side by side, 53 bits of them. */
function hashOf(row: Int32Array): number {
  let [a, b] = [0x9e3779b9 ^ row.length, 0x85ebca6b];
  for (let i = 0; i < row.length; i++) {
    a = Math.imul(a ^ row[i]!, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ a, 0x1b873593);
    b = (b << 13) | (b >>> 19);
  }
  return (mixed(a) >>> 11) * 2 ** 32 + (mixed(b ^ a) >>> 0);
}

function mixed(x: number): number {
  const y = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  const z = Math.imul(y ^ (y >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
