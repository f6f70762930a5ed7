/**
 * @file What texts do to units, position by position: one graph reads a text for all of them, and serves every text of its
 * length.
 */
import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile } from '../../engine/compile.js';
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

/** Reads texts for units, each in one pass. @typeParam Unit - what is read of each */
export interface TextReader<Unit> {
  /** @param ids - one sequence, BOS in front */
  read(ids: Int32Array): Promise<TextDetails<Unit>>;
  dispose(): Promise<void>;
}

/** Reads texts for probes: raw value and z at every position, margin and rank. @param probes - of the subject */
export function detailsReader(subject: Subject, probes: readonly Probe[]): TextReader<Details> {
  const brought = probes.flatMap((probe) => probe.brought);
  const measure: Measure = (weights, pass) =>
    probes.map((probe) => {
      const { raw, z } = probe.unitAtPositions(weights, pass);
      const rivals = probe.rivalScores(weights, pass, probe.options.reference);
      if (!rivals) return { raw, z };
      return { raw, z, margin: tf.sub(probe.unitZ(weights, pass), rivals.strongest), above: rivals.above };
    });
  return new KeptGraphs(subject, brought, measure, ({ raw, z, margin, above }) => ({
    raw: raw as Float32Array,
    z: z as Float32Array,
    margin: margin?.[0] ?? null,
    rank: above ? above[0]! + 1 : null,
  }));
}

/**
 * The measures alone, which need no calibration: `[positions]` each.
 *
 * @param readouts - of groups whose raw value has no centre (`hasRaw`)
 */
export function rawReader(subject: Subject, readouts: readonly Readout[]): TextReader<Float32Array> {
  const brought = broughtBy(readouts.map(({ group }) => group));
  const measure: Measure = (weights, pass) =>
    readouts.map(({ group, index }) => ({
      raw: column((group.raw ?? group).read({ spec: subject.spec, weights, pass }), index),
    }));
  return new KeptGraphs(subject, brought, measure, ({ raw }) => raw as Float32Array);
}

/** Reads one text; the reader is disposed. */
export async function readOnce<Unit>(reader: TextReader<Unit>, ids: Int32Array): Promise<TextDetails<Unit>> {
  try {
    return await reader.read(ids);
  } finally {
    await reader.dispose();
  }
}

/** Whether a unit has a value without calibration: what is reported of it is not counted from a mean. */
export const hasRaw = ({ group }: Readout): boolean => (group.raw ?? group).centre === undefined;

/** What is asked of every unit. */
type Measure = (weights: WeightLookup, pass: Pass) => readonly Readonly<Record<string, tf.Tensor>>[];

class KeptGraphs<Unit> implements TextReader<Unit> {
  private readonly programs = new OnDemand<number, Compiled>();

  /** @param made - a unit, of what was measured of it */
  constructor(
    private readonly subject: Subject,
    private readonly brought: readonly WeightSource[],
    private readonly measure: Measure,
    private readonly made: (values: Readonly<Record<string, TypedArray>>) => Unit,
  ) {}

  async read(ids: Int32Array): Promise<TextDetails<Unit>> {
    const program = await this.programs.get(ids.length, () => this.compile(ids.length));
    const { logProbs, ...outputs } = await program.run({ ids });
    const units: Record<string, TypedArray>[] = [];
    for (const [named, values] of Object.entries(outputs)) {
      const [unit, name] = named.split(' ') as [string, string];
      units[Number(unit)] = { ...units[Number(unit)], [name]: values };
    }
    return { logProbs: logProbs as Float32Array, units: units.map(this.made) };
  }

  dispose(): Promise<void> {
    return this.programs.dispose();
  }

  private compile(positions: number): Promise<Compiled> {
    const { spec, weights, engine } = this.subject;
    return compile(
      (inputs, lookup) => {
        const pass = forward(spec, lookup, { ids: inputs.ids! });
        const units = this.measure(lookup, pass).flatMap((values, i) =>
          Object.entries(values).map(([name, value]) => [`${i} ${name}`, value] as const),
        );
        return { logProbs: sequenceLogProbs(spec, lookup, pass, inputs.ids!), ...Object.fromEntries(units) };
      },
      {
        inputs: { ids: { shape: [1, positions], dtype: 'int32' } },
        weights: extendWeights(weights, this.brought),
        engine,
      },
    );
  }
}
