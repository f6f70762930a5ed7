/** @file Runs as Neuronpedia takes features: the body of `POST /api/feature/upload-batch`. */
import { UsageError, UserError } from '../../core/errors.js';
import type { TokenValue } from '../../core/explanation.js';
import type { FeaturedUnit } from './featured-unit.js';

/** What the API takes at most. */
const most = { features: 128, tokens: 1024, logits: 20 } as const;

interface Feature {
  readonly index: number;
  readonly topLogits?: readonly TokenValue[];
  readonly bottomLogits?: readonly TokenValue[];
  readonly activations: readonly { readonly tokens: readonly string[]; readonly values: readonly number[] }[];
}

export interface NeuronpediaBatch {
  readonly modelId: string;
  readonly source: string;
  readonly features: readonly Feature[];
}

/**
 * Units as one batch.
 *
 * @param units - each once
 * @throws UsageError when one names no source, or another than the rest; UserError for more than a batch takes
 */
export function neuronpediaBatch(units: readonly FeaturedUnit[]): NeuronpediaBatch {
  const sources = new Set(units.map(({ source }) => source));
  const [source] = sources;
  if (source == null || sources.size > 1)
    throw new UsageError(
      source == null
        ? 'a unit does not say what it is called on Neuronpedia: give --source MODEL/LAYER-SET, such as gemma-2-2b/20-my-set'
        : `a batch is of one source, and these runs are of ${[...sources].join(', ')}: write them one by one, or give --source`,
    );
  if (units.length > most.features)
    throw new UserError(`a batch has at most ${most.features} units, and these runs are of ${units.length}`);
  const [modelId, set] = source.toLowerCase().split('/') as [string, string];
  return { modelId, source: set, features: units.map(featureOf) };
}

function featureOf({ index, texts }: FeaturedUnit): Feature {
  const logits = texts.find(({ logits }) => logits !== null)?.logits;
  const shown = (values: readonly TokenValue[]) =>
    values.slice(0, most.logits).map(({ token, value }) => ({ token: visible(token), value }));
  return {
    index,
    ...(logits && { topLogits: shown(logits.top), bottomLogits: shown(logits.bottom) }),
    activations: texts.map(({ tokens, raw }) => ({
      tokens: tokens.slice(0, most.tokens).map(visible),
      values: raw.slice(0, most.tokens),
    })),
  };
}

/** An empty token, as an incomplete character is shown, is refused by the API. */
const visible = (token: string): string => token || '\uFFFD';
