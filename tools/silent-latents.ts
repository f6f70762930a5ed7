/** @file Which latents of a dictionary in training have been silent for long: those that are trained apart. */
import type { TrainingState } from '../src/engine/training/trainer.js';
import { type DictionarySize, silentCount } from './dictionary.js';

/** Tokens without an activation after which a latent counts as silent. */
const LONG = 200_000;

export class SilentLatents {
  /** Since each latent was last active. */
  readonly tokens: Float32Array;

  /** @param resumed - may have an array `silence`: `tokens`, of an earlier part of the run */
  constructor(
    private readonly dictionary: DictionarySize,
    resumed?: TrainingState,
  ) {
    this.tokens = resumed?.get('silence')?.data.slice() ?? new Float32Array(dictionary.latents);
  }

  /** How many there are. */
  get size(): number {
    return this.tokens.reduce((count, tokens) => count + Number(tokens >= LONG), 0);
  }

  /** @param fired - at how many of the tokens each latent was active */
  count(fired: Float32Array, tokens: number): void {
    for (const [latent, times] of fired.entries())
      this.tokens[latent] = times > 0 ? 0 : this.tokens[latent]! + tokens;
  }

  /** Those that have been silent longest, and whether each counts as silent: inputs of the loss. */
  inputs(): { chosen: Int32Array; silent: Float32Array } {
    const chosen = Int32Array.from(this.tokens.keys())
      .sort((a, b) => this.tokens[b]! - this.tokens[a]!)
      .slice(0, silentCount(this.dictionary));
    return { chosen, silent: Float32Array.from(chosen, (latent) => Number(this.tokens[latent]! >= LONG)) };
  }
}
