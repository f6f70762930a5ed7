/** @file What `superstim text` and `superstim resume` print for people. */
import { evenly } from '../../core/evenly.js';
import { counted, formatSeconds, formatTable } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { TextCluster } from '../../text/readouts/clusters.js';
import type { BaselineBest, SearchResult } from '../../text/search/search.js';
import type { Paint } from '../output.js';
import { formatPublished } from './published.js';

/** Rows of the frontier that are printed; `--json` and the run folder have all. */
const ROWS = 12;

/** What `--json` prints. */
export type TextDocument = SearchResult & { run: string };

/** The frontier as a table, with what it compares to and what carries the texts. */
export function formatSearch(
  { frontier, baselines, clusters, cost, frame, hypervolume, published, run, unit }: TextDocument,
  paint: Paint,
): string {
  const header = ['nats', 'z', 'margin', 'rank', 'text'].map((title) => title);
  const rows = evenly(strongestByFluency(frontier), ROWS).map(formatRow);
  const spent = `${counted(cost.evaluations, 'evaluation')} in ${formatSeconds(cost.seconds)}`;
  return [
    paint(
      'bold',
      `${unit}: ${counted(frontier.length, 'text')} on the frontier, hypervolume ${hypervolume.toFixed(1)} (${spent})`,
    ),
    formatTable([header, ...rows]),
    ...formatBaseline(baselines.prior_best, 'samples of the prior'),
    ...formatBaseline(baselines.corpus_best, 'texts of the corpus'),
    ...(clusters.length > 0
      ? ['', 'what carries them (sigmas lost without the token)', formatTable(clusters.map(formatCluster))]
      : []),
    ...(published ? ['', ...formatPublished(published, Math.max(...frontier.map(({ raw }) => raw)))] : []),
    '',
    formatFrame(frame),
    `run: ${run}`,
  ].join('\n');
}

function formatBaseline(baseline: BaselineBest | null, what: string): string[] {
  if (!baseline) return [];
  const title = `best of ${baseline.evaluations} ${what} (hypervolume ${baseline.hypervolume.toFixed(1)})`;
  return ['', title, formatTable([formatRow(baseline)])];
}

function formatRow({ cross_entropy, z, margin, rank, text }: ScoredText): string[] {
  return [
    cross_entropy.toFixed(2),
    z.toFixed(2),
    margin?.toFixed(2) ?? '',
    rank === null ? '' : String(rank),
    text,
  ];
}

function formatCluster({ tokens, texts }: TextCluster): string[] {
  const shown = tokens.map(({ token, value }) => `"${token}" ${value.toFixed(1)}`).join('  ');
  return [
    shown || 'no single token',
    `${texts.length} ${texts.length === 1 ? 'text' : 'texts'}, z up to ${texts[0]!.z.toFixed(1)}`,
    texts[0]!.text,
  ];
}

/** What no more probable text beats. */
function strongestByFluency(frontier: readonly ScoredText[]): ScoredText[] {
  let best = Number.NEGATIVE_INFINITY;
  return frontier.filter(({ z }) => {
    const better = z > best;
    if (better) best = z;
    return better;
  });
}
