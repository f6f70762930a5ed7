/** @file ONNX's operator Attention (from version 23 on), in the operations that exporters spelled it with before. */
import { UserError } from '../../../core/errors.js';
import { multiplied, softmaxed } from '../combining.js';
import { type ForeignValue, isConstant } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';

const byHead = [0, 2, 1, 3];

/** Queries, keys and values [batch, head, token, dHead], or [batch, token, head * dHead]. */
export const onnxAttention: OnnxRule = (call) => {
  const { importer } = call;
  const joined = importer.shape(call.input(0)).length === 3;
  const heads = call.int('q_num_heads', 1);
  checkPlain(call, heads);
  const [q, k, v] = [0, 1, 2].map((i) => {
    const value = call.input(i);
    if (!joined) return value;
    const [batch, count, width] = importer.shape(value) as [number, number, number];
    return importer.transposeValue(importer.reshape(value, [batch, count, heads, width / heads]), byHead);
  }) as [ForeignValue, ForeignValue, ForeignValue];
  const scale = call.float('scale', 1 / Math.sqrt(importer.shape(q)[3]!));
  const products = multiplied(importer, q, importer.transposeValue(k, [0, 1, 3, 2]));
  const scores = importer.activation('linear', products, scale, 0);
  const mask = call.inputs[3];
  const masked = mask ? importer.binary('add', scores, added(call, mask)) : scores;
  const z = multiplied(importer, softmaxed(importer, masked, 3), v);
  if (!joined) return z;
  const [batch, , count, width] = importer.shape(z) as [number, number, number, number];
  return importer.reshape(importer.transposeValue(z, byHead), [batch, count, heads * width]);
};

/** A mask of truths as what is added to scores. */
function added({ importer }: OnnxCall, mask: ForeignValue): ForeignValue {
  if (!isConstant(mask) || !importer.isInteger(mask)) return mask;
  return importer.fold(importer.shape(mask), false, [mask], () =>
    Float64Array.from(importer.entries(mask), (isSeen) => (isSeen ? 0 : -1e30)),
  );
}

function checkPlain(call: OnnxCall, heads: number): void {
  const [shape, keys] = [0, 1].map((i) => call.importer.shape(call.input(i))) as [number[], number[]];
  const shared = shape.length === 4 ? keys[1] !== shape[1] : call.int('kv_num_heads', heads) !== heads;
  if (shared || call.inputs[4] || call.int('is_causal', 0) === 1 || call.float('softcap', 0) !== 0)
    throw new UserError('attends as vision networks do not: with shared keys, a cache or causally');
}
