/**
 * @file The kinds of units of a language model: a new one is a file beside this one, and a line here. Names of units are
 * taken apart and put together by their kinds.
 *
 *
 * | name                           | unit                                                                    |
 * | ------------------------------ | ----------------------------------------------------------------------- |
 * | `L5.H1`                        | attention head 1 of layer 5                                             |
 * | `L3.N1000`                     | MLP neuron: what the down projection reads                              |
 * | `L3.N1000:pre`                 | its pre-activation (the gate's, in gated MLPs)                          |
 * | `L4.E3`                        | expert 3 of layer 4: the router's logit                                 |
 * | `L4.E3:weight`                 | its weight after the choice, 0 where it is not chosen                   |
 * | `L4.E3.N10`                    | neuron 10 of that expert, on the tokens that are routed to it           |
 * | `L5.D:file.safetensors#name`   | direction of the residual stream at the input of layer 5                |
 * | `sae:PATH#345`                 | latent 345 of a dictionary (sparse autoencoder, transcoder): a file, a folder,  |
 * |                                | or a repository of the hub and a path in it                             |
 * | `sae:PATH@blocks.2.hook_resid_post#345` | the same, where its files do not say what it reads                     |
 * | `gemma-2-2b/20-gemmascope-res-16k/1234` | latent 1234 of a dictionary that Neuronpedia has, by its name there     |
 * | `logit: Paris`                 | logit of the next token `" Paris"`: all after the colon, spaces included |
 *
 * TransformerLens names of heads and neurons are understood too: `blocks.5.attn.hook_result[1]`,
 * `blocks.3.mlp.hook_post[1000]`, `blocks.3.mlp.hook_pre[1000]`.
 */
import { matchUnit, readUnit, type UnitForm } from '../../core/unit-form.js';
import { directionKind } from './direction.js';
import { expertKind, expertNeuronKind } from './expert.js';
import { headKind } from './head.js';
import type { Kind, UnitContext } from './kind.js';
import { latentKind } from './latent.js';
import { logitKind } from './logit.js';
import { neuronKind } from './neuron.js';
import type { ReadoutGroup } from './readout.js';

export const kinds = {
  head: headKind,
  neuron: neuronKind,
  expert: expertKind,
  expertNeuron: expertNeuronKind,
  direction: directionKind,
  latent: latentKind,
  logit: logitKind,
} as const;

/** What a name means: a unit of a language model, by its kind. */
export type TextUnit = {
  [K in keyof typeof kinds]: (typeof kinds)[K] extends Kind<infer U> ? U : never;
}[keyof typeof kinds];

/** The kind of a unit. */
export const kindOf = <U extends TextUnit>(unit: U): Kind<U> => kinds[unit.kind] as unknown as Kind<U>;

const forms = Object.values(kinds).map(({ form }) => form as UnitForm<TextUnit>);

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
