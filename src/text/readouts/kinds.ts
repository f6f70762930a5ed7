/**
 * @file The kinds of units of a language model, from the files of the parts of it that they read; a new one goes into one of
 * their tables. Names of units are taken apart and put together by their kinds (docs/units-and-measures.md lists the forms).
 */
import { matchUnit, readUnit } from '../../core/unit-form.js';
import { streamKinds } from './direction.js';
import { expertKinds } from './expert.js';
import { headKinds } from './head.js';
import type { Kind, UnitContext } from './kind.js';
import { dictionaryKinds } from './latent.js';
import { outputKinds } from './logit.js';
import { neuronKinds } from './neuron.js';
import type { ReadoutGroup } from './readout.js';

export const kinds = {
  ...headKinds,
  ...neuronKinds,
  ...expertKinds,
  ...streamKinds,
  ...dictionaryKinds,
  ...outputKinds,
} as const;

/** What a name means: a unit of a language model, by its kind. */
export type TextUnit = {
  [K in keyof typeof kinds]: (typeof kinds)[K] extends Kind<infer U> ? U : never;
}[keyof typeof kinds];

const byName: { readonly [K in TextUnit['kind']]: Kind<TextUnit> } = kinds;

/** The kind of a unit, to be asked about that unit. */
export const kindOf = (unit: TextUnit): Kind<TextUnit> => byName[unit.kind];

const forms = Object.values(byName).map(({ form }) => form);

/** The unit that a name means, or null when it has none of the forms. Ranges are not checked. */
export const tryParseUnit = (name: string): TextUnit | null => matchUnit(name, forms);

/**
 * The unit that a name means. Ranges are the model's business (`parseTextUnit`).
 *
 * @throws UsageError that lists the forms
 */
export const parseUnit = (name: string): TextUnit => readUnit(name, forms);

/** The name of a unit; `parseUnit` gives the unit back. */
export const formatUnit = (unit: TextUnit): string => kindOf(unit).form.format(unit);

/** Every head, neuron and expert, and what is usual where they are ablated. */
export function allGroups(context: UnitContext): ReadoutGroup[] {
  const groups = Object.values(kinds).flatMap((kind) => kind.groups(context));
  const usual = groups.flatMap(({ effect }) => effect?.usual ?? []);
  return [...new Map([...groups, ...usual].map((group) => [group.key, group])).values()];
}
