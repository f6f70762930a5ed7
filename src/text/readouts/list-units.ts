/** @file What units a language model has, and what is known of them. */
import { UserError } from '../../core/errors.js';
import { openTextWeights, type TextModel, tokenizerOf } from '../lm/model.js';
import { expertsOf } from '../lm/spec.js';
import { type AboutOptions, aboutModel, type ModelAbout } from './about-model.js';
import { headGroup } from './head.js';
import { kinds } from './kinds.js';
import { shippedStatistics } from './unit-statistics.js';

export interface LayerUnits {
  layer: number;
  heads: number;
  /** 0 in layers of experts. */
  neurons: number;
  /** In layers of experts: how many, and the neurons of each. */
  experts?: { count: number; neurons: number };
  /**
   * The heads by how far beyond their mean their strongest token of the calibration text reached, in sigmas;
   * empty for models without shipped statistics.
   */
  strongest_heads: { unit: string; max_z: number }[];
}

export interface TextUnits extends ModelAbout {
  kind: 'text';
  family: string;
  layers: LayerUnits[];
  /** Other units that can be named. */
  others: string[];
}

/**
 * Lists units by layer, of a model read as the family `as` where that is given, with or without a tokenizer.
 *
 * @throws UserError for a folder that holds no language model
 */
export async function listTextUnits(folder: string, as?: string): Promise<TextUnits> {
  const { spec, weights } = openTextWeights(folder, as);
  const tokenizer = await tokenizerOf(folder, spec).catch((error: unknown) => {
    if (error instanceof UserError) return error;
    throw error;
  });
  return unitsOf({ spec, weights, folder, tokenizer });
}

/** What a model is, and its units by layer. */
export function unitsOf({ folder, ...model }: AboutOptions & Pick<TextModel, 'folder'>): TextUnits {
  const { spec } = model;
  const shipped = shippedStatistics(folder);
  const layers = Array.from({ length: spec.layers }, (_, layer): LayerUnits => {
    const group = headGroup(spec, layer, 'delta');
    const heads = shipped?.load(group);
    const experts = expertsOf(spec, layer);
    const reach = heads
      ? Array.from(heads.max, (max, head) => ({
          unit: group.unit(head).name,
          max_z: (max - heads.mean[head]!) / heads.deviation[head]!,
        }))
      : [];
    return {
      layer,
      heads: spec.heads,
      neurons: experts ? 0 : spec.dMlp,
      ...(experts && { experts: { count: experts.count, neurons: experts.neurons } }),
      strongest_heads: reach.sort((a, b) => b.max_z - a.max_z),
    };
  });
  return {
    kind: 'text',
    family: spec.family,
    ...aboutModel(model),
    layers,
    others: Object.values(kinds).flatMap((kind) => kind.others?.(spec, folder) ?? []),
  };
}
