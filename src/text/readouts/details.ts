/** @file What one text does to units, position by position: one graph reads it for all of them. */
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import { extendWeights } from '../../engine/weights/extend.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';
import type { Subject } from '../lm/subject.js';
import { forward, type Pass, sequenceLogProbs } from '../lm/transformer.js';
import { column } from './peak.js';
import type { Probe } from './probe.js';
import { broughtBy, type Readout } from './readout.js';

/** What one text does to a unit. */
export interface Details {
  /** `[positions]` */
  readonly raw: Float32Array;
  /** Sigmas, `[positions]`; what stands at position 0 never counts. */
  readonly z: Float32Array;
  readonly margin: number | null;
  readonly rank: number | null;
}

/** What one text does to several units. @typeParam Unit - of each, in their order */
export interface TextDetails<Unit> {
  /** ln p of each token given those before it, nats; `[positions - 1]`. */
  readonly logProbs: Float32Array;
  readonly units: readonly Unit[];
}

/**
 * Reads one text for several units in one pass.
 *
 * @param probes - of the subject
 * @param ids - one sequence, BOS in front
 */
export async function detailsOf(
  subject: Subject,
  probes: readonly Probe[],
  ids: Int32Array,
): Promise<TextDetails<Details>> {
  const brought = probes.flatMap((probe) => probe.brought);
  const { logProbs, units } = await readText(subject, brought, ids, (weights, pass) =>
    probes.map((probe) => {
      const { raw, z } = probe.unitAtPositions(weights, pass);
      const rivals = probe.rivalScores(weights, pass, probe.options.reference);
      if (!rivals) return { raw, z };
      return { raw, z, margin: tf.sub(probe.unitZ(weights, pass), rivals.strongest), above: rivals.above };
    }),
  );
  return {
    logProbs,
    units: units.map(({ raw, z, margin, above }) => ({
      raw: raw as Float32Array,
      z: z as Float32Array,
      margin: margin?.[0] ?? null,
      rank: above ? above[0]! + 1 : null,
    })),
  };
}

/**
 * The measures alone, which need no calibration: `[positions]` each.
 *
 * @param readouts - of groups whose raw value has no centre (`hasRaw`)
 * @param ids - one sequence, BOS in front
 */
export async function rawOf(
  subject: Subject,
  readouts: readonly Readout[],
  ids: Int32Array,
): Promise<TextDetails<Float32Array>> {
  const brought = broughtBy(readouts.map(({ group }) => group));
  const { logProbs, units } = await readText(subject, brought, ids, (weights, pass) =>
    readouts.map(({ group, index }) => ({
      raw: column((group.raw ?? group).read({ spec: subject.spec, weights, pass }), index),
    })),
  );
  return { logProbs, units: units.map(({ raw }) => raw as Float32Array) };
}

/** Whether a unit has a value without calibration: what is reported of it is not counted from a mean. */
export const hasRaw = ({ group }: Readout): boolean => (group.raw ?? group).centre === undefined;

/** Reads one text once for what is asked of every unit. */
async function readText(
  { spec, weights, engine }: Subject,
  brought: readonly WeightSource[],
  ids: Int32Array,
  measure: (weights: WeightLookup, pass: Pass) => readonly Readonly<Record<string, tf.Tensor>>[],
): Promise<TextDetails<Readonly<Record<string, TypedArray>>>> {
  const program = await compile(
    (inputs, lookup) => {
      const pass = forward(spec, lookup, { ids: inputs.ids! });
      const units = measure(lookup, pass).flatMap((values, i) =>
        Object.entries(values).map(([name, value]) => [`${i} ${name}`, value] as const),
      );
      return { logProbs: sequenceLogProbs(spec, lookup, pass, inputs.ids!), ...Object.fromEntries(units) };
    },
    {
      inputs: { ids: { shape: [1, ids.length], dtype: 'int32' } },
      weights: extendWeights(weights, brought),
      engine,
    },
  );
  const { logProbs, ...outputs } = await program.run({ ids });
  program.dispose();
  const units: Record<string, TypedArray>[] = [];
  for (const [named, values] of Object.entries(outputs)) {
    const [unit, name] = named.split(' ') as [string, string];
    units[Number(unit)] = { ...units[Number(unit)], [name]: values };
  }
  return { logProbs: logProbs as Float32Array, units };
}
