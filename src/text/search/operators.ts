/**
 * @file How a text is changed into another: each operator drafts a child of a parent, some of whose tokens the prior
 * is then asked to write.
 *
 * Fluent children come from the prior, strong ones from the gradient; what stands after the peak cannot change a
 * causal model's z there, so it is rewritten for fluency alone.
 */
import type { Random } from '../../core/random.js';
import type { Rewrite } from '../sampling/draw-jobs.js';
import type { Bred } from './candidate.js';
import { pickStrong } from './niches.js';
import type { Proposals, TokenLists } from './proposals.js';

/** A child before the prior has written its part. */
export interface Draft {
  /** `[positions]` */
  readonly row: Int32Array;
  readonly rewrite: Rewrite | null;
}

/** What an operator may use. */
export interface Material {
  readonly parent: Bred;
  readonly proposals: Proposals;
  /** Another candidate, to cross with. */
  readonly mate: Bred;
  /** What excites the unit however improbable, the strongest first, each behind the start token; `graft` needs one. */
  readonly triggers: readonly Int32Array[];
  readonly random: Random;
}

export type Operator = (material: Material) => Draft;

/** A tempered prior: likely tokens are tried more often than they occur. */
const PRIOR_TEMPERATURE = 0.7;
/** How strongly the gradient speaks, drawn anew for each child: from a hint to nearly all. */
const GAIN_WEIGHTS = [2, 4, 8] as const;
/** At most so many tokens are drawn anew where the rest is to stay. */
const LONGEST_INFILL = 4;
/** After the peak only fluency counts. */
const TAIL_TEMPERATURES = [0.2, 0.5, 0.8] as const;
const SUFFIX_TEMPERATURES = [0.6, 1] as const;

/** A text of the prior's own, sometimes of its likelier half. */
const prior: Operator = ({ parent, random }) => ({
  row: parent.ids,
  rewrite: { from: 1, count: parent.ids.length - 1, temperature: random.pick([1, 1, 0.7]) },
});

/** One token that the prior would write there. */
const swap: Operator = ({ parent, proposals, random }) => {
  const position = anywhere(parent, random);
  return { row: replaced(parent.ids, position, proposals.likely, 0, random), rewrite: null };
};

/** One token up to the peak that the gradient asks for and the prior does not mind. */
const gradient: Operator = ({ parent, proposals, random }) => {
  const position = 1 + random.integer(parent.peak);
  const row = replaced(parent.ids, position, proposals.gradient, random.pick(GAIN_WEIGHTS), random);
  return withTail(row, parent, random);
};

/** One token up to the peak, any that the gradient lists, each as often, however its gain and its probability. */
const mutate: Operator = ({ parent, proposals, random }) => {
  const position = 1 + random.integer(parent.peak);
  const { ids, count } = proposals.gradient;
  const row = parent.ids.slice();
  const others = ids.subarray((position - 1) * count, position * count).filter((id) => id !== row[position]);
  row[position] = others[random.integer(others.length)]!;
  return withTail(row, parent, random);
};

/** One token, by gradient or prior, and a few after it. */
const regenerate: Operator = (material) => {
  const { parent, random } = material;
  const [list, weight] = eitherList(material);
  const position = anywhere(parent, random);
  const row = replaced(parent.ids, position, list, weight, random);
  const room = row.length - 1 - position;
  const count = Math.min(room, 1 + random.integer(LONGEST_INFILL));
  return { row, rewrite: count > 0 ? { from: position + 1, count } : null };
};

/** A few tokens in the middle. */
const infill: Operator = ({ parent, random }) => {
  const from = anywhere(parent, random);
  const count = Math.min(parent.ids.length - from, 1 + random.integer(LONGEST_INFILL));
  return { row: parent.ids, rewrite: { from, count } };
};

/** All from a position on; up to the peak where that is the end. */
const suffix: Operator = ({ parent, random }) => {
  const end = parent.ids.length - (endsAtPeak(parent) ? 1 : 0);
  const from = 1 + random.integer(end - 1);
  const count = end - from;
  return { row: parent.ids, rewrite: { from, count, temperature: random.pick(SUFFIX_TEMPERATURES) } };
};

/** All after the peak, likelier than the prior's own; where nothing stands there, some of the beginning. */
const tail: Operator = ({ parent, random }) => ({
  row: parent.ids,
  rewrite: endsAtPeak(parent)
    ? {
        from: 1,
        count: Math.min(1 + random.integer(LONGEST_INFILL), parent.ids.length - 2),
        temperature: random.pick(TAIL_TEMPERATURES),
      }
    : tailRewrite(parent.ids, Math.min(parent.peak, parent.ids.length - 2), random),
});

/** A token less; what follows moves to the left, or, where the peak is the end, what stands before to the right. */
const remove: Operator = ({ parent, random }) => {
  const position = anywhere(parent, random);
  const row = parent.ids.slice();
  if (endsAtPeak(parent)) {
    row.copyWithin(2, 1, Math.min(position, row.length - 2));
    return { row, rewrite: { from: 1, count: 1 } };
  }
  row.copyWithin(position, position + 1);
  const moved = position <= parent.peak ? parent.peak - 1 : parent.peak;
  // Sometimes what came after the peak goes too, now that there is more room for it.
  const rewrite =
    random.uniform() < 0.5 && moved < row.length - 1
      ? tailRewrite(row, moved, random)
      : { from: row.length - 1, count: 1, temperature: PRIOR_TEMPERATURE };
  return { row, rewrite };
};

/** A token more; what follows moves to the right and the last one out, or, where the peak is the end, the first one. */
const insert: Operator = (material) => {
  const { parent, random } = material;
  const [list, weight] = eitherList(material);
  const position = anywhere(parent, random);
  const row = parent.ids.slice();
  if (endsAtPeak(parent)) {
    const before = Math.min(position, row.length - 2);
    row.copyWithin(1, 2, before + 1);
    row[before] = drawToken(list, before + 1, -1, weight, random);
    return { row, rewrite: null };
  }
  row.copyWithin(position + 1, position);
  row[position] = drawToken(list, position, -1, weight, random);
  return { row, rewrite: null };
};

/** The beginning of one and the end of another. */
const cross: Operator = ({ parent, mate, random }) => {
  const cut = 1 + random.integer(parent.ids.length - 1);
  const row = parent.ids.slice();
  row.set(mate.ids.subarray(cut), cut);
  return { row, rewrite: null };
};

/** What leads to the mate's peak put somewhere into the parent, and a new end. */
const transplant: Operator = ({ parent, mate, random }) => {
  const length = Math.min(mate.peak, 1 + random.integer(LONGEST_INFILL));
  const end = mate.ids.subarray(mate.peak + 1 - length, mate.peak + 1);
  return grafted(parent, end, endsAtPeak(parent) && mate !== parent, random);
};

/** A trigger, or its end, put somewhere into the parent, and a new end. */
const graft: Operator = ({ parent, triggers, random }) => {
  const trigger = pickStrong(triggers, random);
  const end = trigger.subarray(1 + random.integer(trigger.length - 1));
  return grafted(parent, end, endsAtPeak(parent), random);
};

export const operators = {
  prior,
  swap,
  gradient,
  mutate,
  regenerate,
  infill,
  suffix,
  tail,
  remove,
  insert,
  cross,
  transplant,
  graft,
} as const satisfies Record<string, Operator>;
export type OperatorName = keyof typeof operators;
const anywhere = (parent: Bred, random: Random) => 1 + random.integer(parent.ids.length - 1);

/** Then nothing may be rewritten behind the peak, and what is to stay must stay at the end. */
const endsAtPeak = ({ ids, peak }: Bred) => peak === ids.length - 1 && peak > 1;

function eitherList({ proposals, random }: Material): [list: TokenLists, gainWeight: number] {
  return random.uniform() < 0.5 ? [proposals.likely, 0] : [proposals.gradient, random.pick(GAIN_WEIGHTS)];
}

function tailRewrite(row: Int32Array, after: number, random: Random): Rewrite {
  return { from: after + 1, count: row.length - 1 - after, temperature: random.pick(TAIL_TEMPERATURES) };
}

/** Some tokens in a parent's place, the last ones or any, and all behind them written anew. */
function grafted(parent: Bred, tokens: Int32Array, atEnd: boolean, random: Random): Draft {
  const row = parent.ids.slice();
  const from = atEnd ? row.length - tokens.length : 1 + random.integer(row.length - tokens.length);
  row.set(tokens, from);
  const last = from + tokens.length - 1;
  return { row, rewrite: last < row.length - 1 ? tailRewrite(row, last, random) : null };
}

/** A changed parent; half of the time all after its peak is written anew too. */
function withTail(row: Int32Array, { peak }: Bred, random: Random): Draft {
  const redo = random.uniform() < 0.5 && peak < row.length - 1;
  return { row, rewrite: redo ? tailRewrite(row, peak, random) : null };
}

function replaced(
  ids: Int32Array,
  position: number,
  list: TokenLists,
  gainWeight: number,
  random: Random,
): Int32Array {
  const row = ids.slice();
  row[position] = drawToken(list, position, row[position]!, gainWeight, random);
  return row;
}

/** A token for a position, other than the one that stands there. */
function drawToken(
  { ids, logProbs, gains, count }: TokenLists,
  position: number,
  present: number,
  gainWeight: number,
  random: Random,
): number {
  const start = (position - 1) * count;
  // Gumbel's trick draws in one pass, with nothing to allocate.
  let [best, token] = [Number.NEGATIVE_INFINITY, ids[start]!];
  for (let i = start; i < start + count; i++) {
    if (ids[i] === present) continue;
    const logWeight = logProbs[i]! / PRIOR_TEMPERATURE + gainWeight * gains[i]!;
    // Noise beyond 17 is rarer than one in 2^24.
    if (logWeight + 17 <= best) continue;
    const value = logWeight - Math.log(-Math.log1p(-random.uniform() - 2 ** -25));
    if (value > best) [best, token] = [value, ids[i]!];
  }
  return token;
}
