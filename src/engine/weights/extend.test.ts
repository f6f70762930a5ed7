import { describe, expect, it } from 'vitest';
import { compile, releaseWeights } from '../compile.js';
import * as tf from '../functions/tfjs.js';
import { extendWeights } from './extend.js';
import { MemoryWeights, type WeightSource } from './weights.js';

/** A source that counts how often an array is read. */
function counted(name: string, values: readonly number[]): WeightSource & { reads: number } {
  const source = new MemoryWeights(new Map([[name, { shape: [2], data: Float32Array.from(values) }]]));
  const counting = {
    names: source.names,
    reads: 0,
    shape: (asked: string) => source.shape(asked),
    read(asked: string) {
      counting.reads++;
      return source.read(asked);
    },
  };
  return counting;
}

describe.each(['onnx', 'cpu'] as const)('extendWeights on %s', (engine) => {
  it("feeds both sources to one function, and does not send the network's own again", async () => {
    const network = counted('w', [1, 2]);
    const dot = async (name: string, values: readonly number[]) => {
      const weights = extendWeights(network, [counted(name, values)]);
      expect(weights.names).toEqual(['w', name]);
      const program = await compile((_, w) => ({ dot: tf.sum(tf.mul(w('w'), w(name))) }), {
        inputs: {},
        weights,
        engine,
      });
      const { dot } = await program.run({});
      program.dispose();
      return dot![0];
    };
    expect(await dot('first', [3, 4])).toBe(11);
    expect(await dot('second', [5, 6])).toBe(17);
    expect(network.reads).toBe(1);
    await releaseWeights(network);
    expect(extendWeights(network, [])).toBe(network);
  });
});

it('keeps in half precision what the network does, and nothing of others', () => {
  const halves = { stay: true, type: () => 'bfloat16' as const, read: () => Uint16Array.of(0) };
  const extended = extendWeights({ ...counted('w', [1]), halves }, [{ ...counted('other', [2]), halves }]);
  expect(extended.halves!.type('w')).toBe('bfloat16');
  expect(extended.halves!.type('other')).toBeUndefined();
  expect(extendWeights(counted('w', [1]), [counted('other', [2])]).halves).toBeUndefined();
});
