/**
 * @file Several explanations, not one: texts grouped by what excites the unit in them. A unit that responds to two
 * things then shows two groups, though one of them may be far stronger.
 *
 * What counts is the evidence of substitution, not the look of a text: a token carries a text as far as the score
 * falls when something else stands in its place.
 */
import type { Explanation, TokenValue } from '../../core/explanation.js';

/** A token that a text's score rests on. */
export interface Carrier {
  readonly position: number;
  /** Its place relative to the peak: 0 is the peak itself, -1 the token before. */
  readonly offset: number;
  readonly token: string;
  /** Sigmas that the score loses on average when a likely other token stands there. */
  readonly drop: number;
}

/** Texts that excite a unit by the same tokens. */
export interface TextCluster {
  /** What they share: tokens and the sigmas they carry a text, mean over the group, strongest first. */
  tokens: TokenValue[];
  /** Strongest first. */
  texts: { text: string; cross_entropy: number; z: number }[];
}

/** A token that carries less than this share of what the strongest one carries is no carrier. */
const LEAST_SHARE = 0.25;
/** Groups are joined while their texts are on average at least this alike, of 0 to 1. */
const ALIKE = 0.3;
/** Tokens reported of a group. */
const TOLD = 4;

/** What the score falls by when a position's token is replaced: its mean over the replacements, sigmas; null for BOS. */
export function substitutionDrops({ score, substitutions }: Explanation): (number | null)[] {
  return substitutions.map((tried) =>
    tried.length === 0 ? null : score - tried.reduce((sum, { value }) => sum + value, 0) / tried.length,
  );
}

/** The tokens that a text's score rests on, strongest first; empty when no single token matters. */
export function carriers(explanation: Explanation): Carrier[] {
  const drops = substitutionDrops(explanation);
  const most = Math.max(0, ...drops.map((drop) => drop ?? 0));
  return drops
    .flatMap((drop, position) =>
      drop !== null && drop > 0 && drop >= LEAST_SHARE * most
        ? [
            {
              position,
              offset: position - explanation.peak.position,
              token: explanation.tokens[position]!,
              drop,
            },
          ]
        : [],
    )
    .sort((a, b) => b.drop - a.drop);
}

/** Groups texts of one unit by their carriers; the group with the strongest text comes first. */
export function clusterTexts(explanations: readonly Explanation[]): TextCluster[] {
  const members = explanations.map((explanation) => {
    const own = carriers(explanation);
    return { explanation, carriers: own, features: featuresOf(own) };
  });
  let groups = members.map((member) => [member]);
  for (;;) {
    const pairs = groups.flatMap((a, i) =>
      groups.slice(i + 1).map((b) => ({ a, b, alike: meanLikeness(a, b) })),
    );
    const closest = pairs.reduce((best, pair) => (pair.alike > best.alike ? pair : best), {
      alike: ALIKE,
    } as Partial<(typeof pairs)[number]> & { alike: number });
    const { a, b } = closest;
    if (!a || !b) break;
    groups = [...groups.filter((group) => group !== a && group !== b), [...a, ...b]];
  }
  return groups.map((group) => describe(group)).sort((a, b) => b.texts[0]!.z - a.texts[0]!.z);
}

interface Member {
  readonly explanation: Explanation;
  readonly carriers: readonly Carrier[];
  readonly features: ReadonlyMap<string, number>;
}

/** Case and the space in front of a word make no other word. */
function normalized(token: string): string {
  return token.trim().toLowerCase() || token;
}

/** Each carrier counts twice: for its token anywhere, and for its token at its place. */
function featuresOf(own: readonly Carrier[]): Map<string, number> {
  const features = new Map<string, number>();
  for (const { token, offset, drop } of own)
    for (const key of [normalized(token), `${normalized(token)} @${offset}`])
      features.set(key, (features.get(key) ?? 0) + drop);
  return features;
}

/** Cosine of the features, 0 to 1. Texts in which no token matters are alike. */
function likeness(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  if (a.size === 0 || b.size === 0) return a.size === b.size ? 1 : 0;
  const length = (x: ReadonlyMap<string, number>) => Math.hypot(...x.values());
  let product = 0;
  for (const [key, value] of a) product += value * (b.get(key) ?? 0);
  return product / (length(a) * length(b));
}

function meanLikeness(a: readonly Member[], b: readonly Member[]): number {
  let sum = 0;
  for (const one of a) for (const other of b) sum += likeness(one.features, other.features);
  return sum / (a.length * b.length);
}

function describe(group: readonly Member[]): TextCluster {
  const totals = new Map<string, { value: number; shown: string; most: number }>();
  for (const { token, drop } of group.flatMap((member) => member.carriers)) {
    const total = totals.get(normalized(token)) ?? { value: 0, shown: token, most: 0 };
    // A word is shown as it stands where it matters most.
    const shown = drop > total.most ? { shown: token, most: drop } : total;
    totals.set(normalized(token), { ...total, ...shown, value: total.value + drop });
  }
  return {
    tokens: [...totals.values()]
      .map(({ shown, value }) => ({ token: shown, value: value / group.length }))
      .sort((a, b) => b.value - a.value)
      .slice(0, TOLD),
    texts: group
      .map(({ explanation: { text, cross_entropy, score } }) => ({ text, cross_entropy, z: score }))
      .sort((a, b) => b.z - a.z),
  };
}
