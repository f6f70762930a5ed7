/** @file The kinds of units of a language model: a new one is a file beside this one, and a line here. */
import type { TextUnit } from '../../core/units.js';
import { directionKind } from './direction.js';
import { expertKind, expertNeuronKind } from './expert.js';
import { headKind } from './head.js';
import type { Kind } from './kind.js';
import { latentKind } from './latent.js';
import { logitKind } from './logit.js';
import { neuronKind } from './neuron.js';

export const kinds: { readonly [K in TextUnit['kind']]: Kind<Extract<TextUnit, { kind: K }>> } = {
  head: headKind,
  neuron: neuronKind,
  expert: expertKind,
  expertNeuron: expertNeuronKind,
  direction: directionKind,
  latent: latentKind,
  logit: logitKind,
};

/** The kind of a unit. */
export const kindOf = <U extends TextUnit>(unit: U): Kind<U> => kinds[unit.kind] as unknown as Kind<U>;
