/** @file Networks that read long sequences otherwise than short ones (longrope of Phi-3 to 4). */
import type { TransformerSpec } from './spec.js';

/** The network that sequences of so many tokens, BOS included, are read by. */
export function forLength(spec: TransformerSpec, tokens: number): TransformerSpec {
  const { longer, ...within } = spec;
  return longer && tokens > spec.context ? { ...within, ...longer } : spec;
}

/** Texts beyond the context of pre-training turn by other factors, where a network has such: all of their tokens. */
export function splitByLength(spec: TransformerSpec): TransformerSpec {
  const { positions, context } = spec;
  if (positions.kind !== 'rotary') return spec;
  const stretched = positions.layers.flatMap((rotary) =>
    rotary?.scaling?.kind === 'longrope' ? rotary.scaling : [],
  );
  const originalContext = Math.min(...stretched.map((scaling) => scaling.originalContext));
  if (originalContext >= context) return spec;
  const within = { ...spec, context: originalContext };
  if (stretched.some(({ longFactors }) => longFactors === null)) return within;
  const layers = positions.layers.map((rotary) => {
    if (rotary?.scaling?.kind !== 'longrope') return rotary;
    return { ...rotary, scaling: { ...rotary.scaling, factors: rotary.scaling.longFactors! } };
  });
  return { ...within, longer: { context, positions: { kind: 'rotary', layers } } };
}
