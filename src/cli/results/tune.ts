/** @file What `superstim tune` prints for people. */
import { counted, formatSeconds, formatTable } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { SampleStatistics } from '../../rl/sample-statistics.js';
import type { TuneResult } from '../../rl/tune.js';
import type { Paint } from '../output.js';

/** Texts of the frontier that are printed; `--json` and the run folder have all. */
const ROWS = 8;

/** Samples before and after, and the strongest texts. */
export function formatTune(document: TuneResult & { run: string }, paint: Paint): string {
  const { unit, steps, cost, samples, prior_samples, frame, frontier, adapter, run } = document;
  const rows = [...(samples ? [sampleRow('tuned', samples)] : []), sampleRow('prior', prior_samples)];
  const strongest = [...frontier].sort((a, b) => b.z - a.z).slice(0, ROWS);
  return [
    paint('bold', `${unit}: ${counted(steps, 'step')} in ${formatSeconds(cost.seconds)}`),
    formatTable([['samples', 'z', 'nats', 'different', 'KL'], ...rows]),
    '',
    `the strongest of ${frontier.length} texts on the frontier, hypervolume ${document.hypervolume.toFixed(1)}`,
    formatTable([['nats', 'z', 'margin', 'text'], ...strongest.map(textRow)]),
    '',
    ...(adapter ? [`adapter: ${adapter}`] : []),
    formatFrame(frame),
    `run: ${run}`,
  ].join('\n');
}

function sampleRow(name: string, { z, z_deviation, cross_entropy, unique, kl }: SampleStatistics): string[] {
  return [
    name,
    `${z.toFixed(2)} ± ${z_deviation.toFixed(2)}`,
    cross_entropy.toFixed(2),
    `${(100 * unique).toFixed(0)} %`,
    kl.toFixed(1),
  ];
}

function textRow({ cross_entropy, z, margin, text }: ScoredText): string[] {
  return [cross_entropy.toFixed(2), z.toFixed(2), margin?.toFixed(2) ?? '', text];
}
