/** @file The class of rivals that should stay quiet while a unit is excited. */
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { clip } from '../../core/text-width.js';
import type { UnitContext } from './kind.js';
import { openObjective, soleReadout, type TextObjective } from './objective.js';
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
 * layer; `random:N`: N of `all`, by seed. Of a latent, they are others of its dictionary: `layer` and `all` are
 * 64 of them, by seed. Beside a unit with a negative weight, the rivals are negatives too. `none`; or
 * unit names with commas between, each with a minus sign for its negative.
 *
 * @throws UsageError for anything else, or units the model lacks
 */
export function referenceClass(
  name: string,
  objective: TextObjective,
  context: UnitContext,
  seed: number,
): ReferenceClass {
  return classOf(name, without(objective, membersOf(name, objective, context, seed)));
}

/**
 * What the units of a group have as rivals together: the class of each is this without itself. Of `random:N`, and of a
 * dictionary's latents, the same ones stand for all.
 *
 * @throws as `referenceClass` does
 */
export function commonRivals(
  name: string,
  group: ReadoutGroup,
  context: UnitContext,
  seed: number,
): ReferenceClass {
  const any: TextObjective = { name, terms: [{ weight: 1, readout: group.unit(0) }] };
  return classOf(name, membersOf(name, any, context, seed, { name, terms: [] }));
}

/** Latents of a dictionary that stand for all of them. */
const SAMPLE = 64;

/** From this size on, half of a class is held out: smaller ones have none to spare. */
const LARGE_CLASS = 16;

/**
 * Halves a large class by seed: rivals that a search may work against, and rivals that are only looked at, so that
 * they show whether selectivity holds beyond the rivals of the search. A small class stays whole.
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
  const list = [...parts.values()].map(alone);
  return { name, parts: list, size: list.reduce((sum, { indices }) => sum + indices.length, 0) };
}

/** A part whose group reads its rivals alone, where it can. */
function alone(part: ReferencePart): ReferencePart {
  const { group, indices } = part;
  if (!group.only || indices.length === group.size) return part;
  return { ...part, group: group.only(indices), indices: indices.map((_, i) => i) };
}

function without({ terms }: TextObjective, rivals: readonly Rival[]): Rival[] {
  const isTerm = ({ name }: Readout) => terms.some(({ readout }) => readout.name === name);
  return rivals.filter(({ readout }) => !isTerm(readout));
}

/** @param left - whose units are left out where members are drawn */
function membersOf(
  name: string,
  objective: TextObjective,
  context: UnitContext,
  seed: number,
  left = objective,
): Rival[] {
  const { layers } = context.spec;
  /** The siblings of each unit, in a layer; in its own where none is given. */
  const siblings = (layer?: number, most = SAMPLE) =>
    objective.terms.flatMap(({ weight, readout: { group } }): Rival[] => {
      const found = group.siblings?.inLayer(layer ?? group.siblings.layer);
      if (!found) return [];
      const sign: Sign = weight < 0 ? -1 : 1;
      const { sampled } = group.siblings!;
      // One more is drawn, for the case that it is the unit itself.
      const indices = sampled
        ? drawn(found.size, most + objective.terms.length, seed)
        : Array.from({ length: found.size }, (_, index) => index);
      const rivals = indices.map((index) => ({ readout: found.unit(index), sign }));
      return sampled ? without(left, rivals).slice(0, most) : rivals;
    });
  const everywhere = (most?: number) =>
    Array.from({ length: layers }, (_, layer) => siblings(layer, most)).flat();

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
    const all = classOf(name, without(left, everywhere(Number(size))));
    return Random.of(seed, 'reference class').shuffle(rivalsOf(all)).slice(0, Number(size));
  }
  if (/^(?!logit:)[a-z:]+$/.test(name)) {
    throw new UsageError(
      `the reference class "${clip(name, 80)}" is none of layer, layer:K, all, random:N, none, or unit names with commas between`,
    );
  }
  return name.split(',').map((part) => namedRival(part.trim(), context));
}

/** So many different numbers below `size`, or all of them; by seed. */
function drawn(size: number, most: number, seed: number): number[] {
  const random = Random.of(seed, 'latents of a dictionary');
  if (most * 2 >= size) return random.shuffle(Array.from({ length: size }, (_, i) => i)).slice(0, most);
  const found = new Set<number>();
  while (found.size < most) found.add(random.integer(size));
  return [...found];
}

function namedRival(name: string, context: UnitContext): Rival {
  const rival = openObjective(name, context);
  const readout = soleReadout(rival);
  const { weight } = rival.terms[0]!;
  if (!readout || Math.abs(weight) !== 1)
    throw new UsageError(`the rival "${name}" is not one unit: a reference class lists units, or -unit`);
  // Names of one dictionary are one part of the class, however many there are.
  const { group, index } = readout;
  return { readout: group.inWhole?.(index) ?? readout, sign: weight < 0 ? -1 : 1 };
}
