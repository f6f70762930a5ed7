/**
 * @file An atlas's heads as the static files that HeadVis reads (Luger, Kamath et al., Anthropic 2026): `config.json`,
 * `scatter_data.json`, and `heads/L0H0.json` for each head.
 *
 * Its sequences are the explained texts of the unit's frontier, each with the one row of attention that speaks for it: from
 * its peak. HeadVis' own pipeline samples a corpus instead, which `config.json` says.
 */
import { UserError } from '../../core/errors.js';
import type { Explanation } from '../../core/explanation.js';
import { isFluent, strongestOf } from '../../core/frontier.js';
import type { AtlasUnit } from '../../text/atlas/atlas-unit.js';
import type { HeadStatistics } from '../../text/atlas/head-statistics.js';

/** A file of the tree. */
export interface TreeFile {
  readonly name: string;
  readonly value: unknown;
}

const INTERVALS = 5;
const TOKENS_A_SIDE = 50;
const EDGES = [0, 1, 2, 4, 8, 16];

const metrics = {
  self_attention_score: 'Mean attention to the position itself, on samples of the model',
  previous_token_score: 'Mean attention to the token before',
  pattern_entropy: "Mean entropy of a position's attention, nats",
  qk_distance: 'Mean distance from query to key, weighted by attention, the start token left out',
  qk_distance_variance: 'Variance of that distance',
  induction_score: 'Attention to what followed the same token before, on random tokens that come twice',
  best_z: 'Largest z of a text below 6 nats a token, as superstimulus found it',
} as const;

type AtlasHead = AtlasUnit & { readonly layer: number; readonly head: HeadStatistics };
const isHead = (unit: AtlasUnit): unit is AtlasHead => unit.head !== null && unit.layer !== null;

/**
 * The whole tree, a head at a time.
 *
 * @param units - of an atlas, in its order; those that are no heads are passed over
 * @throws UserError when none is a head
 */
export function* headvisTree(units: Iterable<AtlasUnit>, model: string): Generator<TreeFile> {
  const rows: object[] = [];
  const heads: [number, number][] = [];
  for (const unit of units) {
    if (!isHead(unit)) continue;
    heads.push([unit.layer, unit.index]);
    rows.push(scatterRow(unit));
    yield { name: `heads/L${unit.layer}H${unit.index}.json`, value: headFile(unit) };
  }
  if (heads.length === 0) throw new UserError('HeadVis shows attention heads, and the atlas has none');
  yield { name: 'scatter_data.json', value: rows };
  yield { name: 'config.json', value: configOf(model, heads) };
  yield { name: 'server_config.json', value: {} };
  yield { name: 'attributions/manifest.json', value: {} };
}

function scatterRow({ layer, index, head, frontier }: AtlasHead): object {
  const { self, previous, entropy, induction, distance } = head;
  const total = distance.reduce((sum, share) => sum + share, 0);
  const moment = (power: number) =>
    distance.reduce((sum, share, far) => sum + share * far ** power, 0) / total;
  const values: Record<keyof typeof metrics, number> = {
    self_attention_score: self,
    previous_token_score: previous,
    pattern_entropy: entropy,
    qk_distance: moment(1),
    qk_distance_variance: moment(2) - moment(1) ** 2,
    induction_score: induction,
    best_z: strongestOf(frontier.filter(isFluent))?.z ?? Number.NaN,
  };
  const rounded = Object.entries(values).map(([name, value]) => [name, finite(value)]);
  return { layer, head: index, ...Object.fromEntries(rounded) };
}

interface Sequence {
  readonly sequence_id: number;
  /** 1 to `INTERVALS`, the strongest texts in the last. */
  readonly interval: number;
  readonly tokens: readonly string[];
  /** query * seq_len + key. */
  readonly attention_indices: readonly number[];
  readonly attention_values: readonly number[];
  readonly seq_len: number;
  /** As HeadVis counts: the start and the position itself left out. */
  readonly max_activation: number;
}

function headFile({ explanations, head }: AtlasHead): object {
  const strongest = [...explanations].sort((a, b) => b.score - a.score);
  const sequences = strongest.flatMap((one, rank) => sequenceOf(one, rank, strongest.length) ?? []);
  const most = sequences.map(({ max_activation }) => max_activation);
  const mean = most.reduce((sum, value) => sum + value, 0) / most.length;
  return {
    sequences,
    qk_distance_histogram: { bin_edges: EDGES, bin_values: distanceBins(head.distance) },
    top_query_tokens: topTokens(sequences, (flat, length) => Math.floor(flat / length)),
    top_key_tokens: topTokens(sequences, (flat, length) => flat % length),
    statistics: { n_samples: sequences.length, mean_max_activation: finite(mean) },
  };
}

function sequenceOf({ tokens, peak, attention }: Explanation, rank: number, count: number): Sequence | null {
  if (!attention) return null;
  const { position } = peak;
  const { weight } = attention;
  const keys = weight.flatMap((value, key) => (key <= position && value > 0 ? [key] : []));
  const counted = keys.filter((key) => key > 0 && key < position).map((key) => weight[key]!);
  return {
    sequence_id: rank,
    interval: INTERVALS - Math.floor((rank * INTERVALS) / count),
    tokens,
    attention_indices: keys.map((key) => position * tokens.length + key),
    attention_values: keys.map((key) => short(weight[key]!)),
    seq_len: tokens.length,
    max_activation: short(counted.reduce((a, b) => Math.max(a, b), 0)),
  };
}

function distanceBins(distance: readonly number[]): number[] {
  const bins = Array<number>(EDGES.length - 1).fill(0);
  for (const [far, share] of distance.entries()) {
    const bin = EDGES.findLastIndex((edge) => edge <= far);
    if (bin < bins.length) bins[bin]! += share;
  }
  return bins.map(short);
}

/** Tokens by the attention that they give or get. */
function topTokens(
  sequences: readonly Sequence[],
  positionOf: (flat: number, length: number) => number,
): { token: string; weight: number }[] {
  const sums = new Map<string, number>();
  for (const { tokens, attention_indices, attention_values, seq_len } of sequences)
    for (const [i, flat] of attention_indices.entries()) {
      const token = tokens[positionOf(flat, seq_len)]!;
      sums.set(token, (sums.get(token) ?? 0) + attention_values[i]!);
    }
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOKENS_A_SIDE)
    .map(([token, weight]) => ({ token, weight: short(weight) }));
}

const configOf = (model: string, heads: readonly [number, number][]) => ({
  model_name: model,
  dataset_name: 'texts found by superstimulus; attention is that of their peaks',
  heads,
  n_layers: 1 + Math.max(...heads.map(([layer]) => layer)),
  n_heads: 1 + Math.max(...heads.map(([, head]) => head)),
  n_intervals: INTERVALS,
  metrics: Object.keys(metrics),
  metric_descriptions: metrics,
  head_data_pattern: 'L{layer}H{head}.json',
  has_umap: false,
  umap_heads: [],
  custom_plots: [{ key: 'qk_distance_histogram', label: 'Q-K distance' }],
  custom_tables: [
    { key: 'top_query_tokens', label: 'Top query tokens' },
    { key: 'top_key_tokens', label: 'Top key tokens' },
  ],
  statistics_display: {
    n_samples: { label: 'Texts', format: 'default' },
    mean_max_activation: { label: 'Mean max activation', format: 'default' },
  },
});

const short = (value: number): number => Number(value.toFixed(4));
const finite = (value: number): number | null => (Number.isFinite(value) ? short(value) : null);
