/** @file What a command does that computes several jobs of one model: each result is printed as it comes. */
import { UserError } from '../core/errors.js';
import type { JobRecord } from '../runs/description.js';
import { finishRun, type Run } from '../runs/events.js';
import type { NamedJob, PerformFlags } from './job-command.js';
import { jobCommandOf } from './job-commands.js';
import { Output } from './output.js';
import { command, placed } from './perform.js';
import { showProgress } from './progress.js';

/**
 * Computes jobs that keep nothing, one after the other. Their model is opened once.
 *
 * @throws UserError that begins with the name of the job
 */
export async function performSeveral(jobs: AsyncIterable<NamedJob>, flags: PerformFlags): Promise<void> {
  const output = new Output(flags);
  const { openJob, runJob } = await import('../jobs/job.js');
  const { SharedModel } = await import('../sweep/shared-model.js');
  const { formatTable: table } = await import('../core/table.js');
  const shared = new SharedModel();
  const { signal } = new AbortController();
  const shown = <Result>(run: Run<Result>) => finishRun(showProgress(run, output));
  try {
    for await (const { name, job } of jobs) {
      try {
        const given = await shown(shared.of(job as JobRecord, signal));
        const opened = await shown(openJob(job, { command: command(), given, ...placed(flags) }));
        const result = await shown(runJob(opened, null));
        const { format, formatBrief = format } = jobCommandOf(opened.job.task);
        output.result(result, (paint) => formatBrief(result, { paint, table }));
      } catch (error) {
        if (error instanceof UserError) error.message = `${name}: ${error.message}`;
        throw error;
      }
    }
  } finally {
    await shared.release();
  }
}
