/**
 * @file Eager execution, engines `cpu` and `tensorflow`: the function itself on a backend of TensorFlow.js.
 *
 * Slow (`cpu`) or needing a native library (`tensorflow`); they are what the compiled engine is checked against.
 */
import { createRequire } from 'node:module';
// Eager runs block this thread: between them signals and timers get their turn.
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { onBackend, type TensorFunction } from '../compiler/trace.js';
import * as tf from '../functions/tfjs.js';
import type { DType, TensorSpec, TypedArray } from '../tensor-spec.js';
import { plainTraits } from '../traits.js';
import type { Compiled, CompileOptions, Resident, RunInput } from '../types.js';
import { readFinite } from '../weights/finite.js';
import { ownerOf, type WeightSource } from '../weights/weights.js';
import type { Executor } from './executor.js';
import { arrayTypes, checkedInput, isResident, specOf } from './inputs.js';

type EagerEngine = 'tensorflow' | 'cpu';

async function loadBackend(engine: EagerEngine): Promise<void> {
  if (tf.findBackendFactory(engine)) return;
  if (engine === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    return;
  }
  try {
    // Optional and not in package.json; `require` also finds it through NODE_PATH.
    createRequire(import.meta.url)('@tensorflow/tfjs-node');
  } catch (error) {
    throw new UserError(
      'the engine "tensorflow" needs the package @tensorflow/tfjs-node, which is not installed here: ' +
        `install it with "npm install @tensorflow/tfjs-node", or use ${field('engine')} onnx`,
      { cause: error },
    );
  }
}

/** Executes on a backend of TensorFlow.js. */
export function eagerOn(engine: EagerEngine): Executor {
  const weights = new EagerWeights();
  return {
    traits: plainTraits,
    traitsHere: async () => plainTraits,
    compile: (fn, options) => compileEager(fn, options, engine, weights),
    async resident(data, { shape, dtype }) {
      await loadBackend(engine);
      return onBackend(engine, () => eagerResident(engine, tf.tensor(data, [...shape], dtype)));
    },
    releaseWeights: async (source) => weights.release(source),
  };
}

/** Weights as tensors, uploaded once. */
class EagerWeights {
  private readonly uploaded = new WeakMap<WeightSource, Map<string, tf.Tensor>>();

  tensor(source: WeightSource | undefined, name: string): tf.Tensor {
    if (!source) throw new Error(`the function asked for the weight "${name}" but was given none`);
    const owner = ownerOf(source);
    const tensors = this.uploaded.get(owner) ?? new Map<string, tf.Tensor>();
    this.uploaded.set(owner, tensors);
    const found = tensors.get(name);
    if (found) return found;
    const tensor = tf.keep(tf.tensor(readFinite(source, name), [...source.shape(name)], 'float32'));
    tensors.set(name, tensor);
    return tensor;
  }

  release(source: WeightSource): void {
    const owner = ownerOf(source);
    for (const tensor of this.uploaded.get(owner)?.values() ?? []) tensor.dispose();
    this.uploaded.delete(owner);
  }
}

async function compileEager(
  fn: TensorFunction,
  options: CompileOptions,
  engine: EagerEngine,
  weights: EagerWeights,
): Promise<Compiled> {
  await loadBackend(engine);
  const outputs: Record<string, Required<TensorSpec>> = {};

  function call<K extends string>(inputs: Readonly<Record<string, RunInput>>, keep: readonly K[]) {
    return onBackend(engine, () => {
      const tensors = Object.entries(options.inputs).map(([name, spec]): [string, tf.Tensor] => {
        const input = checkedInput(name, spec, inputs[name]);
        return [
          name,
          isResident(input)
            ? (input as EagerResident).tensor
            : tf.tensor(input, [...spec.shape], spec.dtype ?? 'float32'),
        ];
      });
      const results = fn(Object.fromEntries(tensors), (name) => weights.tensor(options.weights, name));
      const values: Record<string, TypedArray> = {};
      const kept = {} as Record<K, Resident>;
      for (const [name, result] of Object.entries(results)) {
        outputs[name] = specOf(result.dtype as DType, result.shape);
        if ((keep as readonly string[]).includes(name)) kept[name as K] = eagerResident(engine, result);
        else values[name] = typed(result);
      }
      return { values, kept };
    });
  }

  return {
    outputs,
    gainsRoughly: false,
    run: async (inputs) => {
      await setImmediate();
      return call(inputs, []).values;
    },
    runKeeping: async (inputs, keep) => {
      await setImmediate();
      return call(inputs, keep);
    },
    dispose: () => {},
  };
}

/** tfjs-node gives booleans and integers in arrays of its own choosing. */
function typed(tensor: tf.Tensor): TypedArray {
  return arrayTypes[tensor.dtype as DType].from(tensor.dataSync());
}

interface EagerResident extends Resident {
  readonly tensor: tf.Tensor;
}

function eagerResident(engine: EagerEngine, result: tf.Tensor): EagerResident {
  // A clone: the function may have returned one of its inputs.
  const tensor = tf.keep(result.clone());
  return {
    tensor,
    shape: tensor.shape,
    dtype: tensor.dtype as DType,
    read: async () => onBackend(engine, () => typed(tensor)),
    release: () => tensor.dispose(),
  };
}
