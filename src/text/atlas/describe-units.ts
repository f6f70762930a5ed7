/** @file From the archives of an atlas to what is reported of each unit: texts, evidence, statistics; some units at a time. */
import type { Explanation } from '../../core/explanation.js';
import { isFluent, strongestOf } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import { unlessStopped } from '../../core/until-stopped.js';
import type { EventBody } from '../../runs/events.js';
import type { TextSubject } from '../lm/subject.js';
import { clusterTexts } from '../readouts/clusters.js';
import { chooseFinalists } from '../search/finalists.js';
import type { AtlasArena } from './atlas-arena.js';
import type { AtlasExample, AtlasFound, AtlasSummary, AtlasUnit } from './atlas-unit.js';
import { EvidenceReader, type Pair } from './evidence-reader.js';
import { type HeadStatistics, headStatistics } from './head-statistics.js';
import type { AtlasEntry } from './unit-archive.js';

/** Units described together: their texts are read together. */
const CHUNK = 32;

/** How much evidence a unit gets. */
export interface EvidenceAmount {
  /** Texts that are explained. */
  readonly texts: number;
  /** Tokens that stand in each token's place in turn; without any, nothing is said of what carries a text. */
  readonly replacements: number;
}

/** Less of many units: replacements are read anew, and would take longer than the search. */
export function evidenceAmount(units: number): EvidenceAmount {
  if (units <= 64) return { texts: 8, replacements: 4 };
  if (units <= 1024) return { texts: 5, replacements: 2 };
  return units <= 10_000 ? { texts: 3, replacements: 1 } : { texts: 1, replacements: 0 };
}

export interface DescribeOptions {
  readonly arena: AtlasArena;
  readonly subject: TextSubject;
  readonly evidence: EvidenceAmount;
  /** Ordinary text for the statistics of heads, `[count, positions]`. */
  readonly ordinary: () => Promise<Int32Array[]>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Describes all units. After the signal nothing is explained any more: texts alone are kept.
 *
 * @yields progress
 * @param keep - gets some units at a time, in their order
 */
export async function* describeUnits(
  options: DescribeOptions,
  keep: (units: readonly AtlasUnit[]) => void,
): AsyncGenerator<EventBody, AtlasSummary[], void> {
  const { arena, signal } = options;
  const { panel } = arena.options;
  const reader = new EvidenceReader(panel, options.evidence.replacements);
  const summaries: AtlasSummary[] = [];
  const start = performance.now();
  try {
    const heads = await unlessStopped<Heads>(signal, () => headsOf(options), new Map());
    for (let first = 0; first < panel.units.length; first += CHUNK) {
      const numbers = panel.units.slice(first, first + CHUNK).map((_, i) => first + i);
      const units = await describeChunk(options, reader, numbers, heads);
      keep(units);
      summaries.push(...units.map(summaryOf));
      const [done, total] = [summaries.length, panel.units.length];
      const rate = (done * 1000) / (performance.now() - start);
      yield {
        kind: 'progress',
        source: 'search',
        budget: 'units',
        done,
        total,
        rate,
        rate_unit: 'units',
        seconds_left: (total - done) / rate,
        note: 'explaining',
      };
    }
    return summaries;
  } finally {
    await reader.dispose();
  }
}

type Heads = ReadonlyMap<number, HeadStatistics[]>;

/** Statistics of all heads of the layers that the atlas has heads of. */
async function headsOf({ arena, subject, ordinary }: DescribeOptions): Promise<Heads> {
  const layers = arena.options.panel.parts.flatMap(({ group }) =>
    group.looks && group.siblings ? [group.siblings.layer] : [],
  );
  return layers.length === 0
    ? new Map()
    : headStatistics(
        subject,
        [...new Set(layers)].sort((a, b) => a - b),
        await ordinary(),
      );
}

async function describeChunk(
  { arena, subject, evidence, signal }: DescribeOptions,
  reader: EvidenceReader,
  numbers: readonly number[],
  heads: Heads,
): Promise<AtlasUnit[]> {
  const { panel } = arena.options;
  const texts = numbers.map((number) =>
    arena.units[number]!.members.map((entry) => ({ entry, found: foundOf(entry, subject) })),
  );
  const chosen = texts.map((all) => {
    const scored = new Map(
      all.map((one): [ScoredText, AtlasEntry] => [asScored(one.found, one.entry), one.entry]),
    );
    return chooseFinalists([...scored.keys()], evidence.texts).map((text) => scored.get(text)!);
  });
  const pairs = (entries: readonly AtlasEntry[][]): Pair[] =>
    entries.flatMap((own) => own.map(({ ids, unit }) => ({ ids, unit: panel.units[unit]! })));
  const explanations = await unlessStopped(signal, () => reader.explain(pairs(chosen)), []);
  const examples = numbers.map((number) => arena.units[number]!.examples);
  const exampleReads = await unlessStopped(signal, () => reader.read(pairs(examples)), []);
  let [nextExplained, nextExample] = [0, 0];
  return numbers.map((number, i): AtlasUnit => {
    const { name, part, index } = panel.units[number]!;
    const own = explanations.slice(nextExplained, nextExplained + chosen[i]!.length);
    nextExplained += chosen[i]!.length;
    const read = exampleReads.slice(nextExample, nextExample + examples[i]!.length);
    nextExample += examples[i]!.length;
    const { mean, deviation } = panel.statisticsOf(part.group);
    const layer = part.group.siblings?.layer ?? null;
    return {
      unit: name,
      layer,
      index,
      hypervolume: arena.units[number]!.hypervolume,
      mean: mean[index]!,
      standard_deviation: deviation[index]!,
      frontier: texts[i]!.map(({ found }) => found),
      explanations: own,
      // Nothing is known of what carries a text where nothing was replaced.
      clusters: evidence.replacements > 0 ? clusterTexts(own) : [],
      examples: read.map((explanation, j) => exampleOf(foundOf(examples[i]![j]!, subject), explanation)),
      head: part.group.looks && layer !== null ? (heads.get(layer)?.[index] ?? null) : null,
    };
  });
}

function foundOf({ text, z, margin, rank }: AtlasEntry, { tokenizer }: TextSubject): AtlasFound {
  return {
    text: tokenizer.decode(text.ids),
    tokens: Array.from(text.ids.subarray(1), (id) => tokenizer.tokenString(id)),
    cross_entropy: text.crossEntropy,
    z,
    margin,
    rank,
    source: text.source,
  };
}

const asScored = ({ text, cross_entropy, z, margin, rank }: AtlasFound, { ids }: AtlasEntry): ScoredText => ({
  text,
  cross_entropy,
  z,
  margin,
  rank,
  raw: z,
  token_ids: Array.from(ids.subarray(1)),
});

const exampleOf = (found: AtlasFound, { z }: Explanation): AtlasExample => ({
  ...found,
  z_by_token: z.slice(1).map((value) => value!),
});

function summaryOf({ unit, layer, index, hypervolume, frontier, head }: AtlasUnit): AtlasSummary {
  const fluent = frontier.filter(isFluent);
  const strongest = strongestOf(fluent);
  const margins = fluent.flatMap(({ margin }) => margin ?? []);
  return {
    unit,
    layer,
    index,
    hypervolume,
    texts: frontier.length,
    z: strongest?.z ?? null,
    margin: margins.length === 0 ? null : margins.reduce((a, b) => Math.max(a, b)),
    entropy: head?.entropy ?? null,
    text: strongest?.text ?? null,
  };
}
