/** @file What a run was about and how it ended; its settings and the command that repeats it. */
import { counted, formatCount, formatSeconds } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import { visible } from '../../core/visible.js';
import { settingsOf } from '../../runs/description.js';
import type { JsonValue } from '../../runs/events.js';
import { publishedLine } from '../../runs/published.js';
import { jsonField } from '../../runs/run-view.js';
import { type Html, html } from '../html.js';
import { type ReportedRun, taskLabel, unitLabel } from '../reported-run.js';
import { decimal } from '../visible-text.js';

const states = {
  done: 'finished',
  interrupted: 'stopped by the user; what was found until then is kept',
  failed: 'failed',
  open: 'without an end: still going, or killed',
} as const;

/** Warnings that a page repeats. */
const MOST_WARNINGS = 20;

/** The page's heading, the facts in one list, and what is missing. */
export function runHead(run: ReportedRun): Html {
  const { description, view, state, missing } = run;
  const facts = [
    ['Model', description?.model?.name],
    ['Texts', description?.model?.frame && visible(formatFrame(description.model.frame))],
    ['Task', [taskLabel(run), view.method].filter(Boolean).join(', ')],
    ['State', states[state]],
    ['Time', view.at > 0 ? formatSeconds(view.at) : null],
    ['Cost', costOf(run.result)],
    ['Hypervolume', hypervolumeOf(run.result)],
    ['Published', publishedLine(view)],
    ['Made', description?.created?.slice(0, 16).replace('T', ' ')],
  ].filter(([, value]) => value);
  const notes = [
    ...missing,
    ...(view.end?.kind === 'failed' ? [`The run failed: ${view.end.message}`] : []),
    ...view.warnings.slice(0, MOST_WARNINGS),
    ...(view.seen.warnings > MOST_WARNINGS
      ? [`${formatCount(view.seen.warnings - MOST_WARNINGS)} more warnings: see events.jsonl`]
      : []),
  ];
  return html`<header>
<h1>What excites <code>${unitLabel(run)}</code>?</h1>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${notes.length > 0 && html`<ul class="notes" aria-label="Remarks">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
</header>`;
}

function costOf(result: JsonValue): string | null {
  const cost = jsonField(result, 'cost');
  const [evaluations, seconds, steps] = ['evaluations', 'seconds', 'steps'].map((name) =>
    jsonField(cost, name),
  );
  const parts = [
    typeof evaluations === 'number' && counted(evaluations, 'evaluation'),
    typeof steps === 'number' && counted(steps, 'step'),
    typeof seconds === 'number' && formatSeconds(seconds),
  ];
  return parts.filter(Boolean).join(' in ') || null;
}

function hypervolumeOf(result: JsonValue): string | null {
  const own = jsonField(result, 'hypervolume');
  const prior = jsonField(jsonField(jsonField(result, 'baselines'), 'prior_best'), 'hypervolume');
  if (typeof own !== 'number') return null;
  return decimal(own, 1) + (typeof prior === 'number' ? ` (samples of the prior: ${decimal(prior, 1)})` : '');
}

/** How to repeat the run. */
export function runSettings({ description, name }: ReportedRun): Html | null {
  if (!description) return null;
  const { command, versions, model } = description;
  const rows = [
    ['run', name],
    ...settingsOf(description).map(([key, value]) => [key, plain(value)]),
    ['model hash', model?.hash],
    ...Object.entries(versions).map(([key, value]) => [`version of ${key}`, value]),
  ];
  return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
<p>To reproduce:</p>
<pre class="command" tabindex="0"><code>${command.map(shellWord).join(' ')}</code></pre>
<details><summary>All settings</summary><dl class="settings">${rows.map(
    ([key, value]) => html`<div><dt>${key}</dt><dd>${value}</dd></div>`,
  )}</dl></details></section>`;
}

function plain(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A word as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
