/** @file What rows begin with, read once for all of them: their parents, or the start token alone. */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile, type Precision } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import {
  type ChangingWeights,
  changingInputs,
  currentArrays,
  withArguments,
} from '../lm/changing-weights.js';
import { type CacheEntries, cacheNames, namedCache } from '../lm/named-cache.js';
import { padRows, stackRows } from '../lm/rows.js';
import type { Subject } from '../lm/subject.js';
import { forward, sequenceLogProbs } from '../lm/transformer.js';
import type { Probe } from '../readouts/probe.js';
import { wholeRows } from './draw-jobs.js';
import { type KnownRow, learn, nothingKnown, type Told } from './known.js';
import { Start } from './start.js';

/** What was read of some parents, by parent. */
interface ParentsRead {
  readonly caches: CacheEntries;
  /** With a probe, the logits behind the first token, `[vocab]`. */
  readonly start: Float32Array;
  readonly known: ReadonlyMap<Int32Array, KnownRow>;
}

interface ParentReaderOptions {
  readonly subject: Subject;
  readonly changing?: ChangingWeights;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Parents read in one call. */
  readonly parents: number;
  readonly precision?: Precision;
  /** What it says of each position is read too, and how probable each token is. */
  readonly probe?: Probe;
}

export class ParentReader {
  /** Tokens that were read so far. */
  tokensRead = 0;
  private readonly programs = new OnDemand<'reading', Compiled>();
  private readonly starts = new OnDemand<'start', Start>();

  constructor(private readonly options: ParentReaderOptions) {}

  /** What is read of some parents, `[positions]` each; compiled when first needed, since whole samples need none. */
  async read(parents: readonly Int32Array[]): Promise<ParentsRead> {
    const { subject, positions, changing, precision = 'float32', parents: size, probe } = this.options;
    const { spec, engine } = subject;
    const reading = await this.programs.get('reading', () =>
      compile(
        (inputs, lookup) => {
          const weights = withArguments(changing, inputs, lookup);
          const pass = forward(spec, weights, { ids: inputs.ids! });
          const logProbs = () => sequenceLogProbs(spec, weights, pass, inputs.ids!);
          return {
            ...namedCache(pass.cache()),
            ...(probe && {
              ...probe.standingAtPositions(weights, pass),
              logProbs: logProbs(),
              start: tf.slice(pass.at('logits'), [0, 0, 0], [1, 1, spec.vocab]),
            }),
          };
        },
        {
          inputs: { ...changingInputs(changing), ids: { shape: [size, positions], dtype: 'int32' } },
          weights: probe?.weights ?? subject.weights,
          engine,
          precision,
        },
      ),
    );
    const ids = padRows(stackRows(parents), size, positions);
    this.tokensRead += ids.length;
    const { values, kept } = await reading.runKeeping({ ...currentArrays(changing), ids }, cacheNames(spec));
    const known = new Map<Int32Array, KnownRow>();
    for (const [row, parent] of probe ? parents.entries() : []) {
      const own = nothingKnown(positions);
      const { logProbs, z, strongest } = values as Required<Told>;
      learn(own, { z, strongest }, row, positions, positions, 0);
      learn(own, { logProbs }, row, positions - 1, positions - 1, 0);
      known.set(parent, own);
    }
    return { caches: kept, known, start: values.start as Float32Array };
  }

  /** The start token, read with the probe that there must be. */
  start(): Promise<Start> {
    return this.starts.get('start', async () => {
      const { parents } = wholeRows(this.options, 1);
      const { caches, start } = await this.read(parents);
      return new Start(caches, start, this.options.subject.special);
    });
  }

  async dispose(): Promise<void> {
    await Promise.all([this.programs.dispose(), this.starts.dispose()]);
  }
}
