/** @file What to try in texts of many units: gradients of several units in one graph. */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { padRows } from '../lm/rows.js';
import { listTokens, type Proposals, proposalsOf } from '../search/proposals.js';
import type { Panel } from './panel.js';
import type { PanelUnit } from './panel-units.js';

/** A text to change, and the unit that it should excite more. */
export interface Asked {
  /** `[positions]` */
  readonly ids: Int32Array;
  readonly unit: PanelUnit;
  /** How much its softmax-weighted rivals count in the gradient. */
  readonly gamma: number;
}

export interface PanelProposerOptions {
  readonly panel: Panel;
  readonly positions: number;
  /** Sequences a call. */
  readonly batch: number;
  /** Tokens listed a position. */
  readonly count: number;
}

export class PanelProposer {
  /** Token positions times layers computed so far; each backward pass counts as one more forward. */
  tokenLayers = 0;
  private readonly count: number;
  private readonly programs = new OnDemand<'lists', Compiled>();

  constructor(private readonly options: PanelProposerOptions) {
    const { subject } = options.panel.options;
    this.count = Math.min(options.count, subject.spec.vocab - subject.excluded().length);
  }

  async propose(asked: readonly Asked[]): Promise<Proposals[]> {
    const { panel, positions, batch } = this.options;
    const program = await this.programs.get('lists', () => this.compile());
    const found: Proposals[] = [];
    while (found.length < asked.length) {
      const part = asked.slice(found.length, found.length + batch);
      const ids = new Int32Array(part.length * positions);
      const own = new Float32Array(batch * panel.columns);
      const gamma = new Float32Array(batch);
      for (const [row, { unit, ids: sequence, gamma: share }] of part.entries()) {
        ids.set(sequence, row * positions);
        own[row * panel.columns + unit.part.offset + unit.index] = 1;
        gamma[row] = share;
      }
      const listed = await program.run({ ids: padRows(ids, batch, positions), own, gamma });
      this.tokenLayers += 2 * batch * positions * panel.options.subject.spec.layers;
      for (const row of part.keys()) found.push(proposalsOf(listed, row, positions, this.count));
    }
    return found;
  }

  private compile(): Promise<Compiled> {
    const { panel, positions, batch } = this.options;
    const { subject } = panel.options;
    return compile(
      (inputs, weights) =>
        listTokens(
          subject,
          weights,
          inputs.ids!,
          (run) => tf.sum(panel.chosenZ(weights, run, inputs.own!, inputs.gamma!)),
          this.count,
        ),
      {
        ...panel.compiling,
        inputs: {
          ids: { shape: [batch, positions], dtype: 'int32' },
          own: { shape: [batch, panel.columns] },
          gamma: { shape: [batch] },
        },
      },
    );
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
  }
}
