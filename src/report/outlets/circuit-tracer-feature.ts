/** @file A unit as the viewer of circuit-tracer shows features: a quantile of its own, "superstimulus", has our texts. */
import { UsageError } from '../../core/errors.js';
import { extent } from '../../core/evenly.js';
import type { FeaturedUnit } from './featured-unit.js';

export interface CircuitTracerFeature {
  readonly transcoder_id: string;
  readonly index: number;
  readonly examples_quantiles: readonly {
    readonly quantile_name: string;
    readonly examples: readonly {
      readonly tokens_acts_list: readonly number[];
      readonly train_token_ind: number;
      readonly is_repeated_datapoint: boolean;
      readonly tokens: readonly string[];
    }[];
  }[];
  readonly top_logits: readonly string[];
  readonly bottom_logits: readonly string[];
  readonly act_min: number;
  readonly act_max: number;
  readonly quantile_values: readonly number[];
  readonly histogram: readonly number[];
  readonly activation_frequency: number;
}

/**
 * @returns its file's name as the viewer looks for it, and what it holds
 * @throws UsageError when the layer is not known
 */
export function circuitTracerFeature({ label, source, layer, index, texts }: FeaturedUnit): {
  name: string;
  feature: CircuitTracerFeature;
} {
  if (layer === null)
    throw new UsageError(
      `${label} does not say what layer it is of: give --source MODEL/LAYER-SET, such as gemma-2-2b/20-my-set`,
    );
  const logits = texts.find(({ logits }) => logits !== null)?.logits;
  const [least, largest] = extent(texts.flatMap(({ raw }) => raw.slice(1)));
  const examples = texts.map(({ tokens, raw, peak }) => ({
    tokens_acts_list: raw,
    train_token_ind: peak.position,
    is_repeated_datapoint: false,
    tokens,
  }));
  return {
    name: `${paired(layer, index)}.json`,
    feature: {
      transcoder_id: source ?? label,
      index,
      examples_quantiles: [{ quantile_name: 'superstimulus', examples }],
      top_logits: logits?.top.map(({ token }) => token) ?? [],
      bottom_logits: logits?.bottom.map(({ token }) => token) ?? [],
      act_min: Math.min(0, least),
      act_max: largest,
      // These are of a corpus, which was not read.
      quantile_values: [],
      histogram: [],
      activation_frequency: 0,
    },
  };
}

/** Cantor's pairing, by which the viewer's graphs number features. */
const paired = (layer: number, index: number): number => {
  const sum = layer + index;
  return (sum * (sum + 1)) / 2 + index;
};
