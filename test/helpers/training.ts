/** @file Running the training tools, and what a run leaves behind. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a tool to its end and returns the arrays of the checkpoint in its work folder, as bytes. */
export function train(tool: string, work: string, options: readonly string[]): Buffer {
  const args = ['--import', 'tsx', join('tools', tool), '--work', work, ...options];
  execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
  const checkpoint = readFileSync(join(work, 'checkpoint.safetensors'));
  // The header before them holds the seconds.
  return checkpoint.subarray(8 + Number(checkpoint.readBigUInt64LE()));
}

/** The lines of a run's log. */
export function trainingLog(work: string): Record<string, number>[] {
  const lines = readFileSync(join(work, 'log.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, number>);
}
