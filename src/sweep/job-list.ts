/** @file The jobs of a sweep: a line each of a file, or one for each unit that a pattern means. */
import { UsageError, UserError } from '../core/errors.js';
import { readTextFile } from '../core/text-file.js';
import { readJob } from '../jobs/read-job.js';

/** Jobs of one sweep. */
const MOST_JOBS = 200_000;

/**
 * Reads a file with one job per line, as `superstim run` takes it; empty lines are passed over.
 *
 * @returns the jobs as they were written; each has been checked (`readJob`)
 * @throws UserError and UsageError that name the line
 */
export async function readJobLines(path: string): Promise<object[]> {
  let text = '';
  for await (const stretch of readTextFile(path)) text += stretch.text;
  const jobs = text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      const job: unknown = JSON.parse(line);
      readJob(job);
      return [job as object];
    } catch (error) {
      const where = `${path}, line ${i + 1}`;
      if (error instanceof UsageError) throw new UsageError(`${where}: ${error.message}`);
      if (error instanceof UserError) throw new UserError(`${where}: ${error.message}`);
      throw new UserError(`${where} is no JSON: a job is an object such as {"task":"text","unit":"L2.H5"}`);
    }
  });
  return checkedCount(jobs, path);
}

/** @throws UsageError when there are none, or too many */
export function checkedCount(jobs: object[], source: string): object[] {
  if (jobs.length === 0) throw new UsageError(`${source} has no job: a sweep needs at least one`);
  if (jobs.length > MOST_JOBS)
    throw new UsageError(
      `${source} has ${jobs.length} jobs, more than the ${MOST_JOBS} of a sweep: make several sweeps`,
    );
  return jobs;
}
