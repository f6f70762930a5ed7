/** @file A run with a reader of its events: the terminal UI with `--tui`, else the progress bar. */
import { Option } from 'commander';
import type { RunDescription } from '../runs/description.js';
import { finishRun, type Run } from '../runs/events.js';
import { stop } from './interrupt.js';
import type { CommonOptions } from './options.js';
import type { Output } from './output.js';
import { showProgress } from './progress.js';

/** `--tui`. */
export function tuiOption(): Option {
  return new Option('--tui', 'watch it in the terminal UI (superstim view), and explore what it finds');
}

/** Whether keys can be read and screens drawn. */
export function onTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
}

export interface WatchOptions {
  readonly flags: CommonOptions & { readonly tui?: boolean };
  readonly output: Output;
  readonly signal: AbortSignal;
  /** The run folder. */
  readonly path: string;
  readonly description: RunDescription;
}

/**
 * Runs to the end; off a terminal and with `--json`, `--tui` is the progress bar too.
 *
 * @param begin - its signal is aborted by Ctrl-C, and by who stops the run from the terminal UI
 */
export async function watchRun<Result>(
  begin: (signal: AbortSignal) => Run<Result>,
  { flags, output, signal, path, description }: WatchOptions,
): Promise<Result> {
  if (!flags.tui || flags.json || !onTerminal()) return finishRun(showProgress(begin(signal), output));
  const { showLive } = await import('../tui/live.js');
  const stopping = new AbortController();
  const run = begin(AbortSignal.any([signal, stopping.signal]));
  return finishRun(
    showLive(run, { path, description, signal, stop: () => stop(stopping), color: flags.color ?? true }),
  );
}
