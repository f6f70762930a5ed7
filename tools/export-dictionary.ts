/** @file A trained dictionary as files in SAELens' format, in half precision. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compile } from '../src/engine/compile.js';
import type { TrainingState } from '../src/engine/training/trainer.js';
import { extendWeights } from '../src/engine/weights/extend.js';
import { writeSafetensors } from '../src/engine/weights/safetensors.js';
import { MemoryWeights, type WeightArray } from '../src/engine/weights/weights.js';
import { writeWhole } from './corpus.js';
import { type DictionarySize, leastOf, preActivations } from './dictionary.js';
import { idsOf, type Standard, type Stream, standardStream, tokensOf } from './residual-stream.js';
import type { Windows } from './windows.js';

/**
 * What a latent must exceed so that k are active at a token, on average.
 *
 * @param first - of the windows that are read
 */
export async function thresholdOf(
  size: DictionarySize,
  [stream, standard]: readonly [Stream, Standard],
  state: TrainingState,
  { windows, first, batches }: { windows: Windows; first: number; batches: number },
): Promise<number> {
  const program = await compile(
    ({ ids }, weights) => {
      const h = preActivations(standardStream(stream, standard, ids!, weights), weights);
      return { least: leastOf(h, size.k * tokensOf(stream)) };
    },
    {
      inputs: { ids: idsOf(stream) },
      weights: extendWeights(stream.model.weights, [new MemoryWeights(state)]),
    },
  );
  let sum = 0;
  for (let i = 0; i < batches; i++) {
    const { ids } = windows.batch(first + i * stream.batch, stream.batch);
    sum += (await program.run({ ids })).least![0]!;
  }
  program.dispose();
  return sum / batches;
}

/** Writes a dictionary that reads the stream as the model has it: latents are in its units, lines of the decoder have norm 1. */
export async function writeDictionary(
  folder: string,
  { width, latents }: DictionarySize,
  state: TrainingState,
  {
    standard,
    threshold,
    place,
    model,
  }: { standard: Standard; threshold: number; place: string; model: string },
): Promise<void> {
  const { mean, gain } = standard;
  const [encoder, decoder, bias, added] = ['encoder', 'decoder', 'bias', 'added'].map(
    (name) => state.get(name)!.data,
  );
  const vector = (length: number, value: (i: number) => number): WeightArray => ({
    shape: [length],
    data: Float32Array.from({ length }, (_, i) => value(i)),
  });
  const meanAlong = (latent: number) =>
    mean.reduce((sum, x, i) => sum + x * encoder![latent * width + i]!, 0);
  const columns = Float32Array.from(
    encoder!,
    (_, at) => encoder![(at % latents) * width + Math.floor(at / latents)]!,
  );
  await mkdir(folder, { recursive: true });
  writeSafetensors(
    join(folder, 'sae_weights.safetensors'),
    [
      ['W_enc', { shape: [width, latents], data: columns }],
      ['b_enc', vector(latents, (i) => bias![i]! / gain - meanAlong(i))],
      ['threshold', vector(latents, () => threshold / gain)],
      ['W_dec', { shape: [latents, width], data: decoder! }],
      ['b_dec', vector(width, (i) => added![i]! / gain + mean[i]!)],
    ],
    { dtype: 'F16' },
  );
  const config = {
    architecture: 'jumprelu',
    d_in: width,
    d_sae: latents,
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: false,
    normalize_activations: 'none',
    reshape_activations: 'none',
    metadata: { hook_name: place, model_name: model, prepend_bos: true },
  };
  await writeWhole(join(folder, 'cfg.json'), `${JSON.stringify(config, null, 2)}\n`);
}
