/** @file What `superstim score` prints for people. */
import { formatTable } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { ScoreResult, UnitScore } from '../../text/score.js';
import type { Paint } from '../output.js';
import { formatPublished } from './published.js';

/** What of a score is printed. */
export type PrintedScore = Pick<ScoreResult, 'frame' | 'tokens' | 'logprobs' | 'cross_entropy'> & {
  readonly units: readonly Omit<UnitScore, 'calibration'>[];
};

/** A table: a row a token, and for each unit its value in sigmas (raw where there is no z); the peak marked. */
export function formatScore(result: PrintedScore, paint: Paint): string {
  const { units, tokens, logprobs } = result;
  const header = ['token', 'ln p', ...units.map(({ unit }) => unit)];
  const rows = tokens.map((token, position) => [
    JSON.stringify(token).slice(1, -1),
    logprobs[position]?.toFixed(2) ?? '',
    ...units.map((unit) => formatValue(unit, position)),
  ]);
  const summaries = units.map(({ unit, peak, margin, rank, ablation }) => {
    const rivals = margin === null ? '' : `, margin ${margin.toFixed(2)}, rank ${rank}`;
    const loss = ablation ? `, ablation up to ${Math.max(...ablation).toFixed(3)} nats` : '';
    const raw = `raw ${peak.raw.toPrecision(4)}`;
    return peak.z === null
      ? `${unit}  ${raw} at token ${peak.position}`
      : `${unit}  z ${peak.z.toFixed(2)} at token ${peak.position} (${raw})${rivals}${loss}`;
  });
  return [
    formatTable([header, ...rows]),
    '',
    `${paint('bold', `${result.cross_entropy.toFixed(2)} nats a token`)}`,
    ...summaries,
    ...units.flatMap(({ published, peak }) => (published ? formatPublished(published, peak.raw) : [])),
    formatFrame(result.frame),
  ].join('\n');
}

function formatValue({ z, raw, peak }: Pick<UnitScore, 'z' | 'raw' | 'peak'>, position: number): string {
  if (position === 0) return '';
  const value = peak.z === null ? raw[position]!.toPrecision(4) : z[position]!.toFixed(2);
  return `${value}${position === peak.position ? ' <' : ''}`;
}
