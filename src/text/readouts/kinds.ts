/** @file The kinds of units of a language model: a new one is a file beside this one, and a line here. */
import type { TextUnit } from '../../core/units.js';
import { directionKind } from './direction.js';
import { expertKind, expertNeuronKind } from './expert.js';
import { headKind } from './head.js';
import type { Kind, UnitContext } from './kind.js';
import { latentKind } from './latent.js';
import { logitKind } from './logit.js';
import { neuronKind } from './neuron.js';
import type { ReadoutGroup } from './readout.js';

export const kinds: { readonly [K in TextUnit['kind']]: Kind<Extract<TextUnit, { kind: K }>> } = {
  head: headKind,
  neuron: neuronKind,
  expert: expertKind,
  expertNeuron: expertNeuronKind,
  direction: directionKind,
  latent: latentKind,
  logit: logitKind,
};

/** Every head and neuron, and what is usual where they are ablated. */
export function allGroups(context: UnitContext): ReadoutGroup[] {
  const groups = Object.values(kinds).flatMap((kind) => kind.groups(context));
  const usual = groups.flatMap(({ effect }) => effect?.usual ?? []);
  return [...new Map([...groups, ...usual].map((group) => [group.key, group])).values()];
}

/** The kind of a unit. */
export const kindOf = <U extends TextUnit>(unit: U): Kind<U> => kinds[unit.kind] as unknown as Kind<U>;
