/** @file What a run that an error ended had found: it stands in the log, and in files that a resumed run reads. */
import { existsSync, readFileSync } from 'node:fs';
import { nonDominated } from '../core/frontier.js';
import type { ScoredText } from '../core/scored-text.js';
import { isOwn } from './events.js';
import { runFile } from './run-file.js';
import { RunTail } from './run-tail.js';

/** Files of a run folder that a resumed run goes on from, beside the log. */
const FOUND = ['frontier.json', 'checkpoint.safetensors'];

/** The frontier of the texts that a run's log lists. Throws UserError where the log cannot be read. */
export function foundFrontier(path: string): ScoredText[] {
  const texts: ScoredText[] = [];
  for (const event of new RunTail(path).poll())
    if (event.kind === 'candidate' && isOwn(event.source)) texts.push(event.candidate);
  return nonDominated(texts);
}

/** Whether a run has found anything that a resumed run would not have to find again. */
export const hasFound = (path: string): boolean =>
  FOUND.some((name) => existsSync(runFile(path, name))) || hasScored(runFile(path, 'checkpoint.json'));

/** Whether a checkpoint is later than the one that a search writes before its first turn. */
function hasScored(checkpoint: string): boolean {
  try {
    const { evaluations } = JSON.parse(readFileSync(checkpoint, 'utf8')) as { evaluations?: number };
    return (evaluations ?? 0) > 0;
  } catch {
    return false;
  }
}
