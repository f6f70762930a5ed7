/**
 * @file What the axes of an activation are: followed through reshapes and transposes, so that a layer's channels are
 * known wherever they lie.
 */
import { sizeOf } from '../../engine/tensor-spec.js';
import type { Shape } from '../layers/op.js';

/** Batch, channel, row, column; `p`: positions in one axis (tokens). */
export type Role = 'b' | 'c' | 'y' | 'x' | 'p';

/** The roles of the axes after a reshape, in memory order. */
export function reshapedRoles(shape: Shape, roles: readonly Role[], wanted: Shape): Role[] {
  const result: Role[] = [];
  let i = 0;
  const blocks: { ins: number[]; count: number }[] = [];
  for (let j = 0; j < wanted.length; ) {
    const ins: number[] = [];
    let [before, after, count] = [1, wanted[j]!, 1];
    if (i < shape.length) {
      before *= shape[i]!;
      ins.push(i++);
    }
    while (before !== after && (i < shape.length || j + count < wanted.length)) {
      if (before < after && i < shape.length) {
        before *= shape[i]!;
        ins.push(i++);
      } else if (j + count < wanted.length) {
        after *= wanted[j + count]!;
        count++;
      } else break;
    }
    blocks.push({ ins, count });
    j += count;
  }
  if (blocks.length > 0) for (; i < shape.length; i++) blocks.at(-1)!.ins.push(i);
  const isChannel = (axis: number): boolean => roles[axis] === 'c';
  for (const { ins, count } of blocks) {
    const real = ins.filter((axis) => shape[axis]! > 1);
    const used = real.length > 0 ? real : ins;
    const elsewhere = shape.some((dim, axis) => dim > 1 && isChannel(axis) && !ins.includes(axis));
    const mixed = used.some(isChannel) && !used.every(isChannel);
    const counted = mixed && elsewhere ? used.filter((axis) => !isChannel(axis)) : used;
    const role = mergedRole(counted.map((axis) => roles[axis]!));
    for (let k = 0; k < count; k++) result.push(role);
  }
  // Axis 0 stays the batch, whatever has been merged into it.
  return result.map((role, axis) => (axis === 0 ? 'b' : role === 'b' ? 'p' : role));
}

function mergedRole(roles: readonly Role[]): Role {
  const different = new Set(roles);
  if (different.size === 0) return 'p';
  if (different.size === 1) return roles[0]!;
  return different.has('c') ? 'c' : 'p';
}

/** How an activation is listed: [batch, positions…, channel]. */
export interface ListedAxes {
  /** In the order listed: positions first, then channels. */
  readonly order: readonly number[];
  readonly positions: number;
  readonly channels: number;
}

/** @param batch - which axis is the batch */
export function listedAxes(roles: readonly Role[], batch: number): ListedAxes {
  const axes = roles.map((_, axis) => axis).filter((axis) => axis !== batch);
  const channels = axes.filter((axis) => roles[axis] === 'c');
  const positions = axes.filter((axis) => roles[axis] !== 'c');
  return {
    order: [batch, ...positions, ...channels],
    positions: positions.length,
    channels: channels.length,
  };
}

/** Entries of these axes together. */
export const sizeAlong = (shape: Shape, axes: readonly number[]): number =>
  sizeOf(axes.map((axis) => shape[axis]!));
