/** @file The thread that explains texts: loads the model of a run and computes, so that the screen never waits. */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import type { Explanation } from '../core/explanation.js';
import type { RunDescription } from '../runs/description.js';
import type { Explainer } from '../text/readouts/explain.js';

export interface ExplainRequest {
  readonly id: number;
  readonly run: RunDescription;
  readonly text: string;
}

export type ExplainReply =
  | { readonly id: number; readonly explanation: Explanation }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly note: string };

/** By what a session depends on; a viewer looks at few. */
const explainers = new Map<string, Promise<Explainer>>();

function say(reply: ExplainReply): void {
  parentPort!.postMessage(reply);
}

async function open(run: RunDescription, note: (text: string) => void): Promise<Explainer> {
  note('loading the model');
  const { recordedSession } = await import('../jobs/recorded-session.js');
  const { openExplainer } = await import('../text/readouts/explain.js');
  const { finishRun } = await import('../runs/events.js');
  const opening = openExplainer(await recordedSession(run));
  const { explainer } = await finishRun(opening, (event) => {
    if (event.kind === 'progress') note(event.note ?? 'calibrating');
  });
  return explainer;
}

async function explain({ id, run, text }: ExplainRequest): Promise<void> {
  const key = JSON.stringify([run.model, run.job]);
  try {
    const explainer = explainers.get(key) ?? open(run, (note) => say({ id, note }));
    explainers.set(key, explainer);
    say({ id, explanation: await (await explainer).explain(text) });
  } catch (error) {
    if (!(await explainers.get(key)?.catch(() => null))) explainers.delete(key);
    const message = error instanceof Error ? error.message : String(error);
    say({ id, error: error instanceof UserError ? message : `could not explain this text: ${message}` });
  }
}

let last: Promise<void> = Promise.resolve();
parentPort!.on('message', (request: ExplainRequest) => {
  last = last.then(() => explain(request));
});
