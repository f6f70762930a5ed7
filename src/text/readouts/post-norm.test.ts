/** Where what a layer writes passes a norm before the sum, heads and neurons are measured behind it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { runOn } from '../../../test/helpers/engines.js';
import * as tf from '../../engine/functions/tfjs.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { readConfig } from '../lm/config.js';
import { matchWeights } from '../lm/match-weights.js';
import { forward } from '../lm/transformer.js';
import type { GroupStatistics } from './group-statistics.js';
import { type HeadGroup, headGroup } from './head.js';
import { NeuronGroup } from './neuron.js';

const fixtures = fileURLToPath(new URL('../../../test/fixtures/transformers', import.meta.url));
const layer = 1;

describe.each(['gemma2', 'gemma3_text', 'olmo2', 'exaone4'])('%s', (name) => {
  const folder = join(fixtures, name);
  const { spec, weights } = matchWeights(
    readConfig(folder),
    openSafetensors(join(folder, 'model.safetensors')),
    folder,
  );
  const expected = openSafetensors(join(folder, 'expected.safetensors'));
  const ids = {
    shape: [1, 8],
    data: (expected.readArray('input_ids') as Int32Array).subarray(0, 8),
  };

  it('the raw value of a head is the norm of what it adds', async () => {
    const outputs = await runOn(
      'cpu',
      ({ ids }, weights) => {
        const pass = forward(spec, weights, { ids: ids! });
        return { raw: headGroup(spec, layer, 'raw').read({ spec, weights, pass }) };
      },
      { ids },
      weights,
    );
    const deltas = expected.read(`blocks.${layer}.attn.residual_delta`); // [batch, pos, head, dModel]
    const norms = Array.from({ length: 8 * spec.heads }, (_, i) =>
      Math.hypot(...deltas.subarray(i * spec.dModel, (i + 1) * spec.dModel)),
    );
    expect(relativeError(outputs.raw!.data, norms)).toBeLessThan(1e-4);
  });

  it('what heads and neurons write sums to what the layer adds', async () => {
    const statistics = {} as GroupStatistics;
    const outputs = await runOn(
      'cpu',
      ({ ids }, weights) => {
        const pass = forward(spec, weights, { ids: ids! });
        const context = { spec, weights, pass };
        const together = (group: HeadGroup | NeuronGroup) =>
          tf.addN(Array.from({ length: group.size }, (_, i) => group.effect.written(context, i, statistics)));
        const [pre, mid, post] = (['pre', 'mid', 'post'] as const).map((side) =>
          pass.at(`blocks.${layer}.hook_resid_${side}`),
        );
        return {
          heads: together(headGroup(spec, layer, 'raw')),
          attention: tf.sub(mid!, pre!),
          neurons: together(new NeuronGroup(spec, layer, 'post')),
          mlp: tf.sub(post!, mid!),
        };
      },
      { ids },
      weights,
    );
    expect(relativeError(outputs.heads!.data, outputs.attention!.data)).toBeLessThan(1e-4);
    expect(relativeError(outputs.neurons!.data, outputs.mlp!.data)).toBeLessThan(1e-4);
  });
});
