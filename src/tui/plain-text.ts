/** @file The same information in sentences and tables: off a terminal, and for screen readers. */

import { evenly } from '../core/evenly.js';
import type { Explanation } from '../core/explanation.js';
import { counted, formatCount } from '../core/format.js';
import { formatFrame } from '../core/frame-report.js';
import type { ScoredText } from '../core/scored-text.js';
import { formatTable } from '../core/table.js';
import { clip } from '../core/text-width.js';
import { visible } from '../core/visible.js';
import { formatShare, progressShare, progressWords } from '../runs/progress-text.js';
import { publishedLine } from '../runs/published.js';
import { baselineLabel, partsLeftOut } from '../runs/run-view.js';
import { outcome, runState } from './draw/run-header.js';
import { formatTime } from './draw/runs.js';
import { visibleToken } from './draw/tokens.js';
import type { RunSummary } from './run-list.js';
import type { RunSnapshot } from './run-source.js';

/** Rows of a table that someone may still read; `--json` has more. */
const MOST_ROWS = 1000;
const MOST_EXPLAINED = 100;

/** That a list was too long to be printed whole. */
const leftOut = (seen: number, what: string, shown = MOST_ROWS): string[] =>
  seen > shown ? [`${formatCount(seen - shown)} more ${what} are not printed`] : [];

/** A table of runs. */
export function describeRuns(runs: readonly RunSummary[], folder: string): string {
  if (runs.length === 0) return `no runs in ${folder}`;
  const rows = runs.map(({ written, task, unit, model, state, best, path }) => [
    formatTime(written),
    task,
    unit,
    model,
    state,
    best === null ? '' : best.toPrecision(4),
    path,
  ]);
  return formatTable([['last written', 'task', 'unit', 'model', 'state', 'best', 'run'], ...rows]);
}

/** One run of a list, in a sentence. */
export function describeSummary({ task, unit, model, state, best }: RunSummary): string {
  return `${task} ${unit} of ${model}, ${state}${best === null ? '' : `, best ${best.toPrecision(4)}`}`;
}

/** What a run is about and how it stands, in one sentence. */
export function describeState(snapshot: RunSnapshot): string {
  const { view, description } = snapshot;
  const model = description?.model?.name;
  const about = [view.task, view.unit, model && `of ${model}`, view.method && `by ${view.method}`];
  return `${about.filter(Boolean).join(' ')}: ${runState(snapshot).word}`;
}

/** How far a run is, in one sentence. */
export function describeProgress({ view, growing }: RunSnapshot): string {
  const { progress } = view;
  if (!growing || !progress || view.end) return outcome(view);
  const share = progressShare(progress);
  const words = [share === null ? null : formatShare(share), progress.note, ...progressWords(progress)];
  return words.filter(Boolean).join(', ');
}

/** Everything a run holds. */
export function describeRun(snapshot: RunSnapshot): string {
  const { view, missing, description } = snapshot;
  const { frontier, frames, series, baselines, explanations, end, calibrated } = view;
  const parts: string[] = [
    [
      describeState(snapshot),
      describeProgress(snapshot),
      ...(description?.model?.frame ? [formatFrame(description.model.frame)] : []),
      ...[publishedLine(view)].filter((line) => line !== null),
      ...(calibrated
        ? [
            `z counts ${formatCount(calibrated.standard_deviation)} above ${formatCount(calibrated.mean)}, over ${counted(calibrated.tokens, 'token')} (${calibrated.source})`,
          ]
        : []),
      ...(end?.kind === 'failed' ? [`failed: ${end.message}`] : []),
      ...missing.map(({ sentence }) => `missing: ${sentence}`),
      ...view.warnings.slice(0, MOST_ROWS).map((sentence) => `warning: ${sentence}`),
      ...leftOut(view.seen.warnings, 'warnings'),
      ...partsLeftOut(view).filter((sentence) => !sentence.includes(' warnings ')),
    ]
      .map(visible)
      .join('\n'),
  ];
  if (frontier.length > 0) parts.push(`frontier\n${candidateTable(frontier)}`);
  for (const [name, text] of baselines)
    parts.push(`${visible(baselineLabel(name))}\n${text ? candidateTable([text]) : 'none'}`);
  for (const explanation of evenly([...explanations.values()], MOST_EXPLAINED))
    parts.push(describeExplanation(explanation));
  parts.push(...leftOut(view.seen.explanations, 'explained texts', MOST_EXPLAINED));
  if (frames.length > 0) {
    const rows = evenly(frames, MOST_ROWS).map(({ step, activation, file }) => [
      String(step),
      formatCount(activation),
      file,
    ]);
    parts.push(`frames\n${formatTable([['step', 'activation', 'file'], ...rows])}`);
    parts.push(...leftOut(view.seen.frames, 'frames'));
  }
  if (series.size > 0) {
    const rows = [...series].map(([name, { values, seen }]) => [
      name,
      String(seen),
      formatCount(values[0]!),
      formatCount(values.at(-1)!),
      formatCount(values.reduce((a, b) => Math.max(a, b))),
    ]);
    parts.push(`figures\n${formatTable([['figure', 'steps', 'first', 'last', 'largest'], ...rows])}`);
  }
  return parts.join('\n\n');
}

function candidateTable(texts: readonly ScoredText[]): string {
  const rows = evenly(texts, MOST_ROWS).map((text) => [
    text.cross_entropy.toFixed(2),
    text.z.toFixed(2),
    text.margin?.toFixed(2) ?? '',
    text.rank === null ? '' : String(text.rank),
    text.text,
  ]);
  const table = formatTable([['nats', 'z', 'margin', 'rank', 'text'], ...rows]);
  return [table, ...leftOut(texts.length, 'texts')].join('\n');
}

/** One candidate, in a sentence. */
export function describeCandidate({ z, cross_entropy, margin, rank, text }: ScoredText): string {
  const selective = margin === null ? '' : `, margin ${margin.toFixed(2)}, rank ${rank}`;
  return `z ${z.toFixed(2)}, ${cross_entropy.toFixed(2)} nats a token${selective}: “${visible(text)}”`;
}

/** The evidence beside a candidate. */
export function describeExplanation(explanation: Explanation): string {
  const { unit, text, tokens, z, logprobs, peak, attention, logits, rivals } = explanation;
  const header = ['token', 'ln p', 'z', ...(attention ? ['attended', 'brought'] : [])];
  const rows = tokens.map((token, position) => [
    position === 0 ? 'BOS' : visibleToken(token),
    logprobs[position]?.toFixed(2) ?? '',
    `${z[position]?.toFixed(2) ?? ''}${position === peak.position ? ' peak' : ''}`,
    ...(attention
      ? [attention.weight[position]?.toFixed(2) ?? '', attention.contribution[position]?.toFixed(1) ?? '']
      : []),
  ]);
  const list = (values: readonly { token: string; value: number }[]) =>
    values.map(({ token, value }) => `${visibleToken(token)} ${value.toFixed(2)}`).join(', ');
  return [
    `${visible(unit)} in “${clip(visible(text), 200)}”`,
    formatTable([header, ...rows]),
    ...(rivals.length > 0
      ? [`rivals: ${rivals.map(({ unit, z }) => `${visible(unit)} ${z.toFixed(2)}`).join(', ')}`]
      : []),
    ...(logits ? [`favours: ${list(logits.top)}`, `disfavours: ${list(logits.bottom)}`] : []),
  ].join('\n');
}

/** One token of a candidate, in sentences. */
export function describeToken(explanation: Explanation, position: number): string[] {
  const { tokens, z, logprobs, peak, attention, substitutions } = explanation;
  const name = position === 0 ? 'BOS' : visibleToken(tokens[position]!);
  const figures = [
    z[position] === null ? null : `z ${z[position]?.toFixed(2)}`,
    logprobs[position] === null ? null : `ln p ${logprobs[position]?.toFixed(2)}`,
    position === peak.position ? 'the peak' : null,
    attention ? `attended ${attention.weight[position]?.toFixed(2)}` : null,
  ];
  const tried = (substitutions[position] ?? []).map(
    ({ token, value }) => `${visibleToken(token)} gives ${value.toFixed(2)}`,
  );
  return [
    `token ${position} of ${tokens.length - 1}, ${name}: ${figures.filter(Boolean).join(', ')}`,
    ...(tried.length > 0 ? [`in place of token ${position}: ${tried.join(', ')}`] : []),
  ];
}
