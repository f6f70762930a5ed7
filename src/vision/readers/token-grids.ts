/**
 * @file Which numbers of tokens are the patches of a picture by rows, after a class token and its like: known from the
 * reshape that makes tokens of a map, and followed through joins.
 */
import type { Shape } from '../layers/op.js';
import type { Role } from './axes.js';

/** Tokens: `prefix` others, then the patches. */
export interface TokenGrid {
  readonly prefix: number;
  /** A node [batch, height, width, …] with a position for each patch. */
  readonly map: number;
}

/** More tokens than class tokens and registers are another grid. */
const MOST_BESIDE = 16;

/** Grids by their number of tokens: most networks have one or two. */
export class TokenGrids {
  private readonly grids = new Map<number, TokenGrid>();

  /** The grid of so many tokens. */
  of(count: number): TokenGrid | undefined {
    return this.grids.get(count);
  }

  /** A map whose rows and columns (neighbours in `roles`, rows first) have become one axis of `wanted`. */
  flattened(roles: readonly Role[], shape: Shape, wanted: Shape, map: number): void {
    const row = roles.indexOf('y');
    if (row === -1 || roles[row + 1] !== 'x') return;
    const count = shape[row]! * shape[row + 1]!;
    const tokens = [...shape.slice(0, row), count, ...shape.slice(row + 2)];
    if (count > 1 && `${tokens}` === `${wanted}`) this.note(count, { prefix: 0, map });
  }

  /** Tokens joined from parts of those numbers. */
  joined(counts: readonly number[]): void {
    const [last = 0, ...before] = [...counts].reverse();
    const grid = this.of(last);
    const beside = before.reduce((sum, count) => sum + count, 0);
    if (!grid || beside > MOST_BESIDE || before.some((count) => this.of(count))) return;
    this.note(beside + last, { prefix: grid.prefix + beside, map: grid.map });
  }

  private note(count: number, grid: TokenGrid): void {
    if (!this.grids.has(count)) this.grids.set(count, grid);
  }
}
