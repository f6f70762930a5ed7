/** @file A model folder of a known family as the prior. */

import { OnDemand } from '../../core/on-demand.js';
import type { Random } from '../../core/random.js';
import { type Compiled, compile } from '../../engine/compile.js';
import { padRows } from '../lm/rows.js';
import type { TextSubject } from '../lm/subject.js';
import { forward, sequenceLogProbs } from '../lm/transformer.js';
import { Sampler } from '../sampling/sampler.js';
import { type FluencyModel, meanNats, padEnds } from './fluency-model.js';

const BATCH = 32;
/** Lengths are rounded up to a multiple of this, so that a few graphs serve all texts. */
const GRANULARITY = 8;

export class TransformerFluency implements FluencyModel {
  tokenLayers = 0;
  readonly name: string;
  private readonly readers = new OnDemand<number, Compiled>();
  private readonly samplers = new OnDemand<number, Sampler>();

  constructor(private readonly subject: TextSubject) {
    this.name = subject.name;
  }

  async crossEntropy(texts: readonly string[]): Promise<Float32Array> {
    const { tokenizer, spec } = this.subject;
    const result = new Float32Array(texts.length);
    for (let at = 0; at < texts.length; at += BATCH) {
      const rows = texts.slice(at, at + BATCH).map((text) => tokenizer.encode(text).slice(0, spec.context));
      const longest = Math.max(2, ...rows.map(({ length }) => length));
      const capacity = Math.min(spec.context, Math.ceil(longest / GRANULARITY) * GRANULARITY);
      const program = await this.reader(capacity);
      const { logProbs } = await program.run({ ids: padRows(padEnds(rows, capacity), BATCH, capacity) });
      this.tokenLayers += BATCH * capacity * spec.layers;
      result.set(
        meanNats(
          logProbs as Float32Array,
          rows.map(({ length }) => length),
          capacity,
        ),
        at,
      );
    }
    return result;
  }

  async sample(count: number, tokens: number, random: Random): Promise<string[]> {
    const { subject } = this;
    const { spec, tokenizer } = subject;
    const positions = Math.min(spec.context, tokens + 1);
    const sampler = await this.samplers.get(positions, () =>
      Sampler.create({ subject, positions, batch: BATCH }),
    );
    const rows = await sampler.sample(count, random);
    this.tokenLayers += count * (positions - 1) * spec.layers;
    return Array.from({ length: count }, (_, row) =>
      tokenizer.decode(rows.subarray(row * positions, (row + 1) * positions)),
    );
  }

  async dispose(): Promise<void> {
    await this.readers.dispose();
    await this.samplers.dispose();
  }

  private reader(capacity: number): Promise<Compiled> {
    const { spec, weights, engine } = this.subject;
    return this.readers.get(capacity, () =>
      compile(
        (inputs, lookup) => {
          const ids = inputs.ids!;
          return { logProbs: sequenceLogProbs(spec, lookup, forward(spec, lookup, { ids }), ids) };
        },
        { inputs: { ids: { shape: [BATCH, capacity], dtype: 'int32' } }, weights, engine },
      ),
    );
  }
}
