/** @file What `superstim explain` prints for people. */
import type { TokenValue } from '../../core/explanation.js';
import { formatTable } from '../../core/format.js';
import type { ExplainResult } from '../../text/readouts/explain.js';
import type { Paint } from '../output.js';
import { formatScore } from './score.js';

/** The text as `score` prints it; below it the strongest rivals, and at the peak what else could stand there. */
export function formatExplanation(explanation: ExplainResult, paint: Paint): string {
  const { unit, raw, z, peak, margin, rank, ablation, rivals, logits, substitutions } = explanation;
  const measured = { unit, raw, z, peak, margin, rank, ...(ablation && { ablation }) };
  const rows = [
    ['rivals', rivals.slice(0, 5).map((rival) => `${rival.unit} ${rival.z.toFixed(2)}`)],
    ['z with another token at the peak', (substitutions[peak.position] ?? []).map(tokenValue)],
    ['writes most to', (logits?.top ?? []).slice(0, 5).map(tokenValue)],
  ] as const;
  const evidence = rows.filter(([, values]) => values.length > 0);
  return [
    formatScore({ ...explanation, units: [measured] }, paint),
    '',
    formatTable(evidence.map(([name, values]) => [name, values.join('  ')])),
  ].join('\n');
}

const tokenValue = ({ token, value }: TokenValue): string => `${JSON.stringify(token)} ${value.toFixed(2)}`;
