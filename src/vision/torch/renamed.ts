/** @file Weights under other names: without a prefix that all share, or as another library spells the same network. */
import type { HalfWeights, WeightSource } from '../../engine/weights/weights.js';

/** A part of a name, and what stands for it; in order, each applied where it is found. */
export type Renaming = readonly (readonly [part: RegExp, by: string | ((...found: string[]) => string)])[];

export function renamed(name: string, renaming: Renaming): string {
  return renaming.reduce((text, [part, by]) => text.replace(part, by as string), name);
}

/** The same arrays by other names. Of two that would have the same name the first has it, the others keep theirs. */
export class RenamedWeights implements WeightSource {
  readonly names: readonly string[];
  readonly halves: HalfWeights | undefined;
  private readonly originals = new Map<string, string>();

  constructor(
    private readonly source: WeightSource,
    rename: (name: string) => string,
  ) {
    for (const name of source.names) {
      const wanted = rename(name);
      this.originals.set(this.originals.has(wanted) ? name : wanted, name);
    }
    this.names = [...this.originals.keys()];
    const { halves } = source;
    this.halves = halves && {
      stay: halves.stay,
      type: (name) => halves.type(this.original(name)),
      read: (name) => halves.read(this.original(name)),
    };
  }

  /** The name in the file; of an unknown one itself, for the source to complain of. */
  original(name: string): string {
    return this.originals.get(name) ?? name;
  }

  shape(name: string): readonly number[] {
    return this.source.shape(this.original(name));
  }

  read(name: string): Float32Array {
    return this.source.read(this.original(name));
  }
}
