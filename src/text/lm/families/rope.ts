/** @file Rotary positions in config.json: the keys of transformers 4, and the `rope_parameters` of transformers 5. */

import { z } from 'zod';
import { clipped } from '../../../core/visible.js';
import type { PositionEncoding, Rotary, RotaryScaling, TransformerSpec } from '../spec.js';
import type { Unsupported } from './family.js';
import { finite, flag, length, positive, string } from './keys.js';

const factors = z.array(positive, 'a list of numbers').max(4096, 'a list of at most 4096 numbers');

const parameterKeys = {
  rope_type: string.optional(),
  type: string.optional(),
  rope_theta: positive.optional(),
  partial_rotary_factor: positive.optional(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: length.optional(),
  beta_fast: positive.optional(),
  beta_slow: positive.optional(),
  attention_factor: positive.optional(),
  mscale: finite.optional(),
  mscale_all_dim: finite.optional(),
  truncate: flag.optional(),
  short_factor: factors.optional(),
  long_factor: factors.optional(),
};

type Parameters = z.output<z.ZodObject<typeof parameterKeys>>;

/** Keys of config.json; Gemma 3 and OLMo 3 have parameters by kind of layer. */
export const ropeKeys = {
  rope_parameters: z
    .object(
      {
        ...parameterKeys,
        full_attention: z.object(parameterKeys).optional(),
        sliding_attention: z.object(parameterKeys).optional(),
      },
      'an object',
    )
    .optional(),
  rope_scaling: z.object(parameterKeys, 'an object').optional(),
  rope_theta: positive.optional(),
  partial_rotary_factor: positive.optional(),
  original_max_position_embeddings: length.optional(),
  max_position_embeddings: length,
};

type RopeConfig = z.output<z.ZodObject<typeof ropeKeys>>;

interface RopeChoices {
  readonly dHead: number;
  /** How much of a head turns where config.json says nothing. */
  readonly fraction?: number;
  /** Which parameters, where they are given by kind of layer. */
  readonly kind?: 'full_attention' | 'sliding_attention';
}

/** The rotary positions of one kind of layer. Throws UserError for a kind of scaling that is not known. */
export function rotary(
  config: RopeConfig,
  { dHead, fraction = 1, kind = 'full_attention' }: RopeChoices,
  unsupported: Unsupported,
): Rotary {
  const { rope_parameters, rope_scaling } = config;
  const named: Parameters = rope_parameters?.[kind] ?? rope_parameters ?? {};
  // What the newer key leaves out may stand in the older ones.
  const typed = (named.rope_type ?? named.type) ? named : (rope_scaling ?? named);
  const turning =
    named.partial_rotary_factor ??
    rope_scaling?.partial_rotary_factor ??
    config.partial_rotary_factor ??
    fraction;
  return {
    dims: Math.trunc(dHead * turning),
    pairs: 'halves',
    theta: named.rope_theta ?? rope_scaling?.rope_theta ?? config.rope_theta ?? 10000,
    scaling: rotaryScaling(typed, config, rope_parameters?.[kind] !== undefined, unsupported),
  };
}

/** The same rotary positions in all layers. */
export function rotaryPositions(layers: number, rotary: Rotary): PositionEncoding {
  return { kind: 'rotary', layers: new Array(layers).fill(rotary) };
}

/** The same rotary positions in some layers, none in the others. @param turns - by layer */
export function rotaryWhere(turns: readonly boolean[], rotary: Rotary): PositionEncoding {
  return { kind: 'rotary', layers: turns.map((turn) => (turn ? rotary : null)) };
}

/**
 * Rotary positions as configured where a layer sees everything, and plain ones where it has a window (Gemma 3, OLMo 3).
 *
 * @param localTheta - of layers with a window, where config.json has no parameters for those; null: the same
 */
export function rotaryByWindow(
  config: RopeConfig,
  { dHead, windows }: Pick<TransformerSpec, 'dHead' | 'windows'>,
  localTheta: number | null,
  unsupported: Unsupported,
): PositionEncoding {
  const everywhere = rotary(config, { dHead }, unsupported);
  const near = config.rope_parameters?.sliding_attention
    ? rotary(config, { dHead, kind: 'sliding_attention' }, unsupported)
    : { ...everywhere, theta: localTheta ?? everywhere.theta, scaling: null };
  return { kind: 'rotary', layers: windows.map((window) => (window === null ? everywhere : near)) };
}

/** @param byKind - whether the parameters are those of one kind of layer */
function rotaryScaling(
  parameters: Parameters,
  config: RopeConfig,
  byKind: boolean,
  unsupported: Unsupported,
): RotaryScaling | null {
  const named = parameters.rope_type ?? parameters.type ?? 'default';
  // The first Phi-3 called it so.
  const kind = named === 'yarn' && parameters.short_factor ? 'longrope' : named;
  const given = (key: 'factor' | 'low_freq_factor' | 'high_freq_factor') => {
    const value = parameters[key];
    if (value === undefined)
      throw unsupported(`rotary positions of type "${clipped(kind)}" but has no "${key}"`);
    return value;
  };
  const own = parameters.original_max_position_embeddings;
  const common = config.original_max_position_embeddings;
  const originalContext = (byKind ? own : (common ?? own)) ?? config.max_position_embeddings;
  switch (kind) {
    case 'default':
    // Stretched beyond the context of pre-training only, and longer texts are refused.
    case 'dynamic':
      return null;
    case 'linear':
      return { kind, factor: given('factor') };
    case 'llama3':
      return {
        kind,
        factor: given('factor'),
        lowFreqFactor: given('low_freq_factor'),
        highFreqFactor: given('high_freq_factor'),
        originalContext,
      };
    case 'yarn': {
      const factor = given('factor');
      return {
        kind,
        factor,
        betaFast: parameters.beta_fast ?? 32,
        betaSlow: parameters.beta_slow ?? 1,
        // As in transformers, whatever parameters by kind of layer say.
        truncate: byKind || (parameters.truncate ?? true),
        originalContext,
        magnitude: parameters.attention_factor ?? yarnMagnitude(parameters, factor),
      };
    }
    case 'su':
    case 'longrope': {
      const { short_factor: factors, long_factor: longFactors = null } = parameters;
      if (!factors)
        throw unsupported(`rotary positions of type "${clipped(kind)}" but has no "short_factor"`);
      const stretch = parameters.factor ?? config.max_position_embeddings / originalContext;
      const magnitude =
        parameters.attention_factor ??
        (stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(originalContext)));
      return { kind: 'longrope', factors, longFactors, originalContext, magnitude };
    }
    default:
      throw unsupported(
        `rotary positions of type "${clipped(kind)}", which is not supported ` +
          '(default, linear, dynamic, llama3, yarn and longrope are)',
      );
  }
}

function yarnMagnitude({ mscale, mscale_all_dim: all }: Parameters, factor: number): number {
  const of = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale && all ? of(mscale) / of(all) : of(1);
}
