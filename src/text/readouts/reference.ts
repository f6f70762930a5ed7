/** @file The class of rivals that should stay quiet while a unit is excited. */
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import type { UnitContext } from './kind.js';
import type { Readout, ReadoutGroup } from './readout.js';
import { openReadout } from './units.js';

/** The rivals of one group. */
export interface ReferencePart {
  readonly group: ReadoutGroup;
  readonly indices: readonly number[];
  /** A unit name an index. */
  readonly names: readonly string[];
}

/** Rivals by group; a group is measured once however many of its units are in the class. */
export interface ReferenceClass {
  /** As the user wrote it. */
  readonly name: string;
  readonly parts: readonly ReferencePart[];
  readonly size: number;
}

/** No rivals at all. */
export const noRivals: ReferenceClass = { name: 'none', parts: [], size: 0 };

/**
 * The class named by `--reference`, without the unit itself.
 *
 * `layer` (the default): the others of the unit's kind in its layer; `layer:K`: those of layer K; `all`: those of
 * every layer; `random:N`: N of `all`, by seed; `none`; or unit names with commas between.
 *
 * @throws UsageError for anything else, or units the model lacks
 */
export function referenceClass(
  name: string,
  target: Readout,
  context: UnitContext,
  seed: number,
): ReferenceClass {
  return classOf(name, without(target, membersOf(name, target, context, seed)));
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
  const members = reference.parts.flatMap(({ group, indices, names }) =>
    indices.map((index, i): Readout => ({ name: names[i]!, group, index })),
  );
  const shuffled = Random.of(seed, 'held-out rivals').shuffle(members);
  const half = Math.floor(members.length / 2);
  return {
    seen: classOf(reference.name, shuffled.slice(half)),
    heldOut: classOf(reference.name, shuffled.slice(0, half)),
  };
}

function classOf(name: string, units: readonly Readout[]): ReferenceClass {
  const parts = new Map<string, { group: ReadoutGroup; indices: number[]; names: string[] }>();
  for (const { group, index, name } of units) {
    const part = parts.get(group.key) ?? { group, indices: [], names: [] };
    parts.set(group.key, part);
    if (part.indices.includes(index)) continue;
    part.indices.push(index);
    part.names.push(name);
  }
  const list = [...parts.values()];
  return { name, parts: list, size: list.reduce((sum, { indices }) => sum + indices.length, 0) };
}

function without(target: Readout, units: readonly Readout[]): Readout[] {
  return units.filter(({ group, index }) => index !== target.index || group.key !== target.group.key);
}

const unitsOf = (group: ReadoutGroup) => Array.from({ length: group.size }, (_, index) => group.unit(index));

function membersOf(name: string, target: Readout, context: UnitContext, seed: number): Readout[] {
  const { layers } = context.spec;
  const { siblings } = target.group;
  const inLayer = (layer: number) => (siblings ? unitsOf(siblings.inLayer(layer)) : []);
  const everywhere = () => Array.from({ length: layers }, (_, layer) => inLayer(layer)).flat();

  if (name === 'none') return [];
  if (name === 'layer') return siblings ? inLayer(siblings.layer) : [];
  if (name === 'all') return everywhere();
  const layer = /^layer:(\d+)$/.exec(name)?.[1];
  if (layer !== undefined) {
    if (Number(layer) >= layers)
      throw new UsageError(
        `the reference class "${name}" is outside this model: its layers are numbered 0 to ${layers - 1}`,
      );
    return inLayer(Number(layer));
  }
  const size = /^random:(\d+)$/.exec(name)?.[1];
  if (size !== undefined)
    return Random.of(seed, 'reference class').shuffle(without(target, everywhere())).slice(0, Number(size));
  if (/^(?!logit:)[a-z:]+$/.test(name)) {
    throw new UsageError(
      `the reference class "${name}" is none of layer, layer:K, all, random:N, none, or unit names with commas between`,
    );
  }
  return name.split(',').map((part) => openReadout(part.trim(), context));
}
