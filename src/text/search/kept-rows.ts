/** @file What was computed of texts by position, so that what is made from them begins behind what they have in common. */

/** By name (`ParentRows`), one row a position: `[positions, …]` each. */
export type TextRows = Readonly<Record<string, Float32Array>>;

/** The latest used stay. */
export class KeptRows {
  private readonly texts = new Map<string, TextRows>();
  private bytes = 0;

  /** @param most - bytes that are kept */
  constructor(private readonly most: number) {}

  /** The rows of a text, `[positions]`. */
  of(text: Int32Array): TextRows | undefined {
    const key = text.join();
    const rows = this.texts.get(key);
    if (!rows) return undefined;
    this.texts.delete(key);
    this.texts.set(key, rows);
    return rows;
  }

  add(text: Int32Array, rows: TextRows): void {
    const key = text.join();
    this.forget(key);
    this.texts.set(key, rows);
    this.bytes += bytesOf(rows);
    for (const oldest of this.texts.keys()) {
      if (this.bytes <= this.most) break;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    const rows = this.texts.get(key);
    if (!rows) return;
    this.texts.delete(key);
    this.bytes -= bytesOf(rows);
  }
}

const bytesOf = (rows: TextRows) => Object.values(rows).reduce((sum, { byteLength }) => sum + byteLength, 0);
