/**
 * @file Reshapes of activations whose batch is not their first axis, or becomes one with others: tokens come first, and heads
 * are pictures of the batch, in PyTorch's MultiheadAttention. The nominal batch is 1, so an axis of length 1 can be the batch.
 */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { GraphBuilder } from '../layers/graph.js';
import type { Shape } from '../layers/op.js';
import { shown } from '../limits.js';
import { type Role, reshapedRoles } from './axes.js';
import { identity, type NodeValue } from './values.js';

/** Writes nodes (`Layouts`). */
interface Writer {
  readonly graph: GraphBuilder;
  shape(value: NodeValue): Shape;
  arranged(value: NodeValue, axes: readonly number[]): number;
  transpose(node: number, perm: readonly number[]): number;
}

/** The same value in another shape. Throws UserError where the batch would be taken apart. */
export function reshapedBehind(writer: Writer, value: NodeValue, full: readonly number[]): NodeValue {
  const result =
    keptBatch(writer, value, full) ?? joinedBehind(writer, value, full) ?? joinedBefore(writer, value, full);
  if (result) return result;
  const apart = partedBatch(writer, value);
  if (apart) return reshapedBehind(writer, apart, full);
  throw new UserError(`moves the batch: [${writer.shape(value)}] to [${shown(full)}]`);
}

/** With the batch first: its shape, its roles, its node. */
function batchFirst(writer: Writer, value: NodeValue) {
  const shape = writer.shape(value);
  const batch = value.order.indexOf(0);
  const axes = [batch, ...identity(shape.length).filter((axis) => axis !== batch)];
  return {
    before: sizeOf(shape.slice(0, batch)),
    count: shape[batch]!,
    shape: axes.map((axis) => shape[axis]!),
    roles: axes.map((axis) => value.roles[axis]!),
    node: () => writer.arranged(value, axes),
  };
}

/** The batch stays an axis of its own. */
function keptBatch(writer: Writer, value: NodeValue, full: readonly number[]): NodeValue | undefined {
  const { before, count, shape, roles, node } = batchFirst(writer, value);
  const at = full.findIndex((dim, axis) => dim === count && sizeOf(full.slice(0, axis)) === before);
  if (at === -1) return undefined;
  const rest = full.filter((_, axis) => axis !== at);
  const held = reshapedRoles(shape, roles, [count, ...rest]);
  const order = full.map((_, axis) => (axis === at ? 0 : axis < at ? axis + 1 : axis));
  const reshaped = writer.graph.add({ kind: 'reshape', shape: rest }, node());
  return { kind: 'node', node: reshaped, order, roles: order.map((axis) => held[axis]!) };
}

/** [token, batch, channel] to [token, batch * head, channel of a head]. */
function joinedBehind(writer: Writer, value: NodeValue, full: readonly number[]): NodeValue | undefined {
  const { before, count, shape, roles, node } = batchFirst(writer, value);
  const at = full.findIndex((dim, axis) => dim % count === 0 && sizeOf(full.slice(0, axis)) === before);
  if (at === -1 || at + 1 >= full.length) return undefined;
  const heads = full[at]! / count;
  const [left, right] = [full.slice(0, at), full.slice(at + 1)];
  const apart = [count, ...left, heads, ...right];
  const { graph } = writer;
  const split = graph.add({ kind: 'reshape', shape: apart.slice(1) }, node());
  const others = identity(apart.length).filter((axis) => axis !== 0 && axis !== at + 1);
  const moved = writer.transpose(split, [0, at + 1, ...others]);
  const leading = { from: count, to: count * heads };
  return {
    kind: 'node',
    node: graph.add({ kind: 'reshape', shape: [...left, ...right], leading }, moved),
    order: full.map((_, axis) => (axis === at ? 0 : axis < at ? axis + 1 : axis)),
    roles: reshapedRoles(shape, roles, apart).slice(1),
  };
}

/** [token, batch, channel] to [token * batch, channel]: held with the tokens of a picture together. */
function joinedBefore(writer: Writer, value: NodeValue, full: readonly number[]): NodeValue | undefined {
  const { before, count, shape, roles, node } = batchFirst(writer, value);
  if (full[0] !== before * count) return undefined;
  const leading = { from: count, to: full[0] };
  return {
    kind: 'node',
    node: writer.graph.add({ kind: 'reshape', shape: full.slice(1), leading }, node()),
    order: identity(full.length),
    roles: reshapedRoles(shape, roles, [...full]),
  };
}

/** What has become one with the batch as an axis of its own, behind the batch. */
function partedBatch(writer: Writer, value: NodeValue, behind = true): NodeValue | undefined {
  const held = writer.graph.shape(value.node);
  const [count] = held;
  if (count === 1) return undefined;
  const batch = value.order.indexOf(0);
  const at = behind ? batch : batch + 1;
  const leading = { from: count!, to: 1 };
  const node = writer.graph.add({ kind: 'reshape', shape: held, leading }, value.node);
  const order = value.order.map((axis) => axis + 1);
  const roles = value.roles.map((role): Role => (role === 'b' ? 'p' : role));
  return {
    ...{ kind: 'node', node },
    order: [...order.slice(0, at), 0, ...order.slice(at)],
    roles: [...roles.slice(0, at), 'b', ...roles.slice(at)],
  };
}

/** [token * batch, channel] to [token, batch, channel], which undoes `joinedBefore`; undefined for other reshapes. */
export function withBatchSecond(
  writer: Writer,
  value: NodeValue,
  full: readonly number[],
): NodeValue | undefined {
  const [count, ...rest] = writer.shape(value);
  const wanted = [count, 1, ...rest];
  return `${wanted}` === `${full}` ? partedBatch(writer, value, false) : undefined;
}
