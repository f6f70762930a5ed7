/** @file The class of rivals that should stay quiet while a unit is excited. */
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import type { UnitContext } from './kind.js';
import { type Objective, openObjective, soleReadout } from './objective.js';
import type { Readout, ReadoutGroup } from './readout.js';

/** 1: a rival by its z. -1: by its negative, beside a unit whose negative is searched for. */
export type Sign = 1 | -1;

/** The rivals of one group and sign. */
export interface ReferencePart {
  readonly group: ReadoutGroup;
  readonly sign: Sign;
  readonly indices: readonly number[];
  /** A unit name an index. */
  readonly names: readonly string[];
}

/** Rivals by group and sign; a group is measured once however many of its units are in the class. */
export interface ReferenceClass {
  /** As the user wrote it. */
  readonly name: string;
  readonly parts: readonly ReferencePart[];
  readonly size: number;
}

/** No rivals at all. */
export const noRivals: ReferenceClass = { name: 'none', parts: [], size: 0 };

interface Rival {
  readonly readout: Readout;
  readonly sign: Sign;
}

/**
 * The class named by `--reference`, without the units of the objective.
 *
 * `layer` (the default): the others of each unit's kind in its layer; `layer:K`: those of layer K; `all`: those of every
 * layer; `random:N`: N of `all`, by seed. Beside a unit with a negative weight, the rivals are negatives too. `none`; or
 * unit names with commas between, each with a minus sign for its negative.
 *
 * @throws UsageError for anything else, or units the model lacks
 */
export function referenceClass(
  name: string,
  objective: Objective,
  context: UnitContext,
  seed: number,
): ReferenceClass {
  return classOf(name, without(objective, membersOf(name, objective, context, seed)));
}

/** From this size on, half of a class is held out: smaller ones have none to spare. */
const LARGE_CLASS = 16;

/**
 * Halves a large class by seed: rivals that a search may work against, and rivals that are only looked at, so that
 * they tell whether selectivity holds beyond those it was searched with. A small class stays whole.
 */
export function splitReference(
  reference: ReferenceClass,
  seed: number,
): { seen: ReferenceClass; heldOut: ReferenceClass | null } {
  if (reference.size < LARGE_CLASS) return { seen: reference, heldOut: null };
  const members = rivalsOf(reference);
  const shuffled = Random.of(seed, 'held-out rivals').shuffle(members);
  const half = Math.floor(members.length / 2);
  return {
    seen: classOf(reference.name, shuffled.slice(half)),
    heldOut: classOf(reference.name, shuffled.slice(0, half)),
  };
}

/** One by one. */
const rivalsOf = ({ parts }: ReferenceClass) =>
  parts.flatMap(({ group, sign, indices }) =>
    indices.map((index): Rival => ({ readout: group.unit(index), sign })),
  );

function classOf(name: string, rivals: readonly Rival[]): ReferenceClass {
  const parts = new Map<string, ReferencePart & { indices: number[]; names: string[] }>();
  for (const { readout, sign } of rivals) {
    const { group, index } = readout;
    const key = `${sign} ${group.key}`;
    const part = parts.get(key) ?? { group, sign, indices: [], names: [] };
    parts.set(key, part);
    if (part.indices.includes(index)) continue;
    part.indices.push(index);
    part.names.push(`${sign < 0 ? '-' : ''}${readout.name}`);
  }
  const list = [...parts.values()];
  return { name, parts: list, size: list.reduce((sum, { indices }) => sum + indices.length, 0) };
}

function without({ terms }: Objective, rivals: readonly Rival[]): Rival[] {
  const isTerm = ({ group, index }: Readout) =>
    terms.some(({ readout }) => readout.index === index && readout.group.key === group.key);
  return rivals.filter(({ readout }) => !isTerm(readout));
}

function membersOf(name: string, objective: Objective, context: UnitContext, seed: number): Rival[] {
  const { layers } = context.spec;
  /** The siblings of each unit, in a layer; in its own where none is given. */
  const siblings = (layer?: number) =>
    objective.terms.flatMap(({ weight, readout: { group } }): Rival[] => {
      const found = group.siblings?.inLayer(layer ?? group.siblings.layer);
      const sign: Sign = weight < 0 ? -1 : 1;
      return Array.from({ length: found?.size ?? 0 }, (_, index) => ({ readout: found!.unit(index), sign }));
    });
  const everywhere = () => Array.from({ length: layers }, (_, layer) => siblings(layer)).flat();

  if (name === 'none') return [];
  if (name === 'layer') return siblings();
  if (name === 'all') return everywhere();
  const layer = /^layer:(\d+)$/.exec(name)?.[1];
  if (layer !== undefined) {
    if (Number(layer) >= layers)
      throw new UsageError(
        `the reference class "${name}" is outside this model: its layers are numbered 0 to ${layers - 1}`,
      );
    return siblings(Number(layer));
  }
  const size = /^random:(\d+)$/.exec(name)?.[1];
  if (size !== undefined) {
    const all = classOf(name, without(objective, everywhere()));
    return Random.of(seed, 'reference class').shuffle(rivalsOf(all)).slice(0, Number(size));
  }
  if (/^(?!logit:)[a-z:]+$/.test(name)) {
    throw new UsageError(
      `the reference class "${name}" is none of layer, layer:K, all, random:N, none, or unit names with commas between`,
    );
  }
  return name.split(',').map((part) => namedRival(part.trim(), context));
}

function namedRival(name: string, context: UnitContext): Rival {
  const rival = openObjective(name, context);
  const readout = soleReadout(rival);
  const { weight } = rival.terms[0]!;
  if (!readout || Math.abs(weight) !== 1)
    throw new UsageError(`the rival "${name}" is not one unit: a reference class lists units, or -unit`);
  return { readout, sign: weight < 0 ? -1 : 1 };
}
