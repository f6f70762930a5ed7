/** @file What units a language model has, and what is known of them. */
import { openTextWeights } from '../lm/model.js';
import { headGroup } from './head.js';
import { shippedStatistics } from './unit-statistics.js';

export interface LayerUnits {
  layer: number;
  heads: number;
  neurons: number;
  /**
   * The heads by how far beyond their mean their strongest token of the calibration text reached, in sigmas;
   * empty for models without shipped statistics.
   */
  strongest_heads: { unit: string; max_z: number }[];
}

export interface TextUnits {
  kind: 'text';
  family: string;
  layers: LayerUnits[];
  vocabulary: number;
  context: number;
  /** Other units that can be named. */
  others: string[];
}

/** Lists units by layer. Throws UserError for a folder that holds no language model. */
export function listTextUnits(folder: string): TextUnits {
  const { spec } = openTextWeights(folder);
  const shipped = shippedStatistics(folder);
  const layers = Array.from({ length: spec.layers }, (_, layer): LayerUnits => {
    const group = headGroup(spec, layer, 'delta');
    const heads = shipped?.load(group);
    const reach = heads
      ? Array.from(heads.max, (max, head) => ({
          unit: group.unit(head).name,
          max_z: (max - heads.mean[head]!) / heads.deviation[head]!,
        }))
      : [];
    return {
      layer,
      heads: spec.heads,
      neurons: spec.dMlp,
      strongest_heads: reach.sort((a, b) => b.max_z - a.max_z),
    };
  });
  return {
    kind: 'text',
    family: spec.family,
    layers,
    vocabulary: spec.vocab,
    context: spec.context,
    others: ['L0.N0:pre', 'L0.D:file.safetensors#name', 'logit: the'],
  };
}
