/** @file From unit names to what is measured: one unit, and the class of rivals that should stay quiet. */
import { createHash } from 'node:crypto';
import { UsageError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { formatUnit, type TextUnit } from '../../core/units.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { HeadMeasure } from '../names.js';
import { groupKey, type UnitGroup } from './measures.js';
import { parseTextUnit } from './units.js';

/** One unit as a column of its group. */
export interface MeasuredUnit {
  readonly name: string;
  readonly group: UnitGroup;
  readonly index: number;
}

/** The rivals of one group. */
export interface ReferencePart {
  readonly group: UnitGroup;
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

/** What about a head is measured: one of `HeadMeasure`, or the signed logit change toward a token. */
export type MeasureChoice = HeadMeasure | { readonly toward: number };

/**
 * How to measure a unit.
 *
 * @param tokenId - id of the single token that a text is, or null
 * @throws UsageError for a token text that is not one token, UserError for a direction that is not there
 */
export function measuredUnit(
  unit: TextUnit,
  spec: TransformerSpec,
  choice: MeasureChoice,
  tokenId: (text: string) => number | null,
): MeasuredUnit {
  const name = formatUnit(unit);
  switch (unit.kind) {
    case 'head':
      return { name, group: headGroup(unit.layer, choice), index: unit.head };
    case 'neuron':
      return {
        name,
        group: { kind: 'neurons', layer: unit.layer, pre: unit.side === 'pre' },
        index: unit.neuron,
      };
    case 'direction': {
      const file = openSafetensors(unit.file);
      const shape = file.shape(unit.name);
      if (shape.length !== 1 || shape[0] !== spec.dModel) {
        throw new UsageError(
          `"${unit.name}" in ${unit.file} has shape [${shape.join(', ')}]; a direction of this model is [${spec.dModel}]`,
        );
      }
      const vector = file.read(unit.name);
      // Statistics are kept by the group's name, and the file may have another array tomorrow.
      const hash = createHash('sha256').update(vector).digest('hex').slice(0, 16);
      return { name, group: { kind: 'direction', layer: unit.layer, name: hash, vector }, index: 0 };
    }
    case 'logit': {
      const token = tokenId(unit.token);
      if (token === null)
        throw new UsageError(
          `"${unit.token}" is not one token of this model; a logit unit names a single token, with its leading space`,
        );
      return { name, group: { kind: 'logit', token }, index: 0 };
    }
  }
}

function headGroup(layer: number, choice: MeasureChoice): UnitGroup {
  return typeof choice === 'string'
    ? { kind: 'heads', layer, measure: choice }
    : { kind: 'headsToward', layer, token: choice.toward };
}

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
  target: MeasuredUnit,
  spec: TransformerSpec,
  choice: MeasureChoice,
  seed: number,
  tokenId: (text: string) => number | null,
): ReferenceClass {
  return classOf(name, without(target, membersOf(name, target, spec, choice, seed, tokenId)));
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
    indices.map((index, i): MeasuredUnit => ({ name: names[i]!, group, index })),
  );
  const shuffled = Random.of(seed, 'held-out rivals').shuffle(members);
  const half = Math.floor(members.length / 2);
  return {
    seen: classOf(reference.name, shuffled.slice(half)),
    heldOut: classOf(reference.name, shuffled.slice(0, half)),
  };
}

function classOf(name: string, units: readonly MeasuredUnit[]): ReferenceClass {
  const parts = new Map<string, { group: UnitGroup; indices: number[]; names: string[] }>();
  for (const unit of units) {
    const key = groupKey(unit.group);
    const part = parts.get(key) ?? { group: unit.group, indices: [], names: [] };
    parts.set(key, part);
    if (part.indices.includes(unit.index)) continue;
    part.indices.push(unit.index);
    part.names.push(unit.name);
  }
  const list = [...parts.values()];
  return { name, parts: list, size: list.reduce((sum, { indices }) => sum + indices.length, 0) };
}

function without(target: MeasuredUnit, units: MeasuredUnit[]): MeasuredUnit[] {
  return units.filter(
    ({ group, index }) => index !== target.index || groupKey(group) !== groupKey(target.group),
  );
}

/** Of heads and neurons, which alone have siblings. */
function siblingName(group: UnitGroup, layer: number, index: number): string {
  if (group.kind !== 'neurons') return formatUnit({ kind: 'head', layer, head: index });
  return formatUnit({ kind: 'neuron', layer, neuron: index, side: group.pre ? 'pre' : 'post' });
}

function membersOf(
  name: string,
  target: MeasuredUnit,
  spec: TransformerSpec,
  choice: MeasureChoice,
  seed: number,
  tokenId: (text: string) => number | null,
): MeasuredUnit[] {
  const { group } = target;
  const sibling = (layer: number, index: number): MeasuredUnit => {
    const moved = { ...group, layer } as UnitGroup;
    return { name: siblingName(moved, layer, index), group: moved, index };
  };
  const count =
    group.kind === 'heads' || group.kind === 'headsToward'
      ? spec.heads
      : group.kind === 'neurons'
        ? spec.dMlp
        : 0;
  const siblings = (layer: number) => Array.from({ length: count }, (_, index) => sibling(layer, index));
  const everywhere = () => Array.from({ length: spec.layers }, (_, layer) => siblings(layer)).flat();

  if (name === 'none') return [];
  if (name === 'layer') return 'layer' in group ? siblings(group.layer) : [];
  if (name === 'all') return everywhere();
  const layer = /^layer:(\d+)$/.exec(name)?.[1];
  if (layer !== undefined) {
    if (Number(layer) >= spec.layers)
      throw new UsageError(
        `the reference class "${name}" is outside this model: its layers are numbered 0 to ${spec.layers - 1}`,
      );
    return siblings(Number(layer));
  }
  const size = /^random:(\d+)$/.exec(name)?.[1];
  if (size !== undefined)
    return Random.of(seed, 'reference class').shuffle(without(target, everywhere())).slice(0, Number(size));
  if (/^(?!logit:)[a-z:]+$/.test(name)) {
    throw new UsageError(
      `the reference class "${name}" is none of layer, layer:K, all, random:N, none, or unit names with commas between`,
    );
  }
  return name.split(',').map((part) => measuredUnit(parseTextUnit(part.trim(), spec), spec, choice, tokenId));
}
