/** @file What `superstim score` prints for people. */
import { formatTable } from '../../core/format.js';
import type { ScoreResult, UnitScore } from '../../text/score.js';
import type { Paint } from '../output.js';

/** A table: a row a token, and for each unit its value in sigmas; the peak marked. */
export function formatScore(result: ScoreResult, paint: Paint): string {
  const { units, tokens, logprobs } = result;
  const header = ['token', 'ln p', ...units.map(({ unit }) => unit)];
  const rows = tokens.map((token, position) => [
    JSON.stringify(token).slice(1, -1),
    logprobs[position]?.toFixed(2) ?? '',
    ...units.map((unit) => formatZ(unit, position)),
  ]);
  const summaries = units.map(({ unit, peak, margin, rank, ablation }) => {
    const rivals = margin === null ? '' : `, margin ${margin.toFixed(2)}, rank ${rank}`;
    const loss = ablation ? `, ablation up to ${Math.max(...ablation).toFixed(3)} nats` : '';
    return `${unit}  z ${peak.z.toFixed(2)} at token ${peak.position} (raw ${peak.raw.toPrecision(4)})${rivals}${loss}`;
  });
  return [
    formatTable([header, ...rows]),
    '',
    `${paint('bold', `${result.cross_entropy.toFixed(2)} nats a token`)}`,
    ...summaries,
  ].join('\n');
}

function formatZ({ z, peak }: UnitScore, position: number): string {
  const value = z[position];
  return value === null || value === undefined
    ? ''
    : `${value.toFixed(2)}${position === peak.position ? ' <' : ''}`;
}
