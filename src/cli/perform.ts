/** @file What every command that computes does: its job is opened, run into a folder, and watched. */
import { exitCodes, UnkeptResult } from '../core/errors.js';
import type { ResultOf, TaskName } from '../jobs/tasks.js';
import { finishRun } from '../runs/events.js';
import { withInterrupt } from './interrupt.js';
import type { PerformFlags } from './job-command.js';
import { jobCommandOf } from './job-commands.js';
import { Output } from './output.js';
import { showProgress } from './progress.js';
import { watchRun } from './watch-run.js';

export const placed = ({ device }: PerformFlags) => ({ ...(device && { device }) });

/** What `run.json` keeps of how it was asked for. */
export const command = () => ['superstim', ...process.argv.slice(2)];

/**
 * Computes a job, from options or a file, and prints its result. While the job is opened, and where it keeps nothing,
 * there is nothing to lose: a signal then has its default action, which also ends a long read at once. Else Ctrl-C
 * stops it and keeps what was found.
 */
export async function perform(job: unknown, flags: PerformFlags): Promise<void> {
  const output = new Output(flags);
  const { createJobFolder, openJob, runJob } = await import('../jobs/job.js');
  const opened = await finishRun(
    showProgress(openJob(job, { command: command(), ...placed(flags) }), output),
  );
  const { keeps, description } = opened;
  const { task } = opened.job;
  if (!keeps) {
    const document = await finishRun(showProgress(runJob(opened, null), output));
    return print({ task, result: document, unkept: null }, flags, output);
  }
  const done = await withInterrupt(output, (signal) => {
    const folder = createJobFolder(opened, flags.out ?? 'runs');
    const begin = (signal: AbortSignal) => runJob(opened, folder, signal);
    return kept(watchRun(begin, { flags, output, signal, path: folder.path, description }));
  });
  await print({ task, ...done }, flags, output);
}

/** Computes the rest of a run and prints the result of the whole. Signals as in `perform`. */
export async function performResume(
  path: string,
  more: { readonly seconds?: number; readonly evaluations?: number },
  flags: PerformFlags,
): Promise<void> {
  const output = new Output(flags);
  const { resumeRun, runJob } = await import('../jobs/job.js');
  const resumed = await finishRun(showProgress(resumeRun(path, more, placed(flags)), output));
  const { job, folder, earlier, description } = resumed;
  const done = await withInterrupt(output, (signal) => {
    const begin = (signal: AbortSignal) => runJob(resumed, folder, signal, earlier);
    return kept(watchRun(begin, { flags, output, signal, path: folder.path, description }));
  });
  await print({ task: job.task, ...done }, flags, output);
}

interface Done {
  readonly result: ResultOf<TaskName>;
  /** Why the run folder has not got the result. */
  readonly unkept: UnkeptResult | null;
}

async function kept(run: Promise<ResultOf<TaskName>>): Promise<Done> {
  try {
    return { result: await run, unkept: null };
  } catch (error) {
    if (!(error instanceof UnkeptResult)) throw error;
    return { result: error.result as ResultOf<TaskName>, unkept: error };
  }
}

/** A result that could not be kept is printed all the same. */
async function print(
  { task, result, unkept }: Done & { readonly task: TaskName },
  flags: PerformFlags,
  output: Output,
): Promise<void> {
  const { complete, document, format, isFailure, picture } = jobCommandOf(task);
  const whole = complete ? await complete(result, flags) : result;
  const { formatTable: table } = await import('../core/table.js');
  const above = picture ? await picture(whole, flags) : '';
  output.result(document ? await document(whole) : whole, (paint) => format(whole, { paint, table }), above);
  if (unkept) throw unkept;
  if (isFailure?.(whole)) process.exitCode = exitCodes.failed;
}
