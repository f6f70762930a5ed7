/** @file `superstim sweep`: many jobs, one after the other. */
import { Command } from 'commander';
import { exitCodes, UsageError } from '../../core/errors.js';
import type { DeviceChoice } from '../../engine/engine-names.js';
import { finishRun } from '../../runs/events.js';
import { withInterrupt } from '../interrupt.js';
import { type CommonOptions, otherDeviceOption, single } from '../options.js';
import { Output } from '../output.js';
import { showProgress } from '../progress.js';

interface SweepFlags extends CommonOptions {
  units?: string;
  template?: string;
  out?: string;
  device?: DeviceChoice;
}

export function sweepCommand(): Command {
  return new Command('sweep')
    .description('run many jobs, one after the other; the same command continues where it was stopped')
    .argument('[jobs]', 'a file with one job a line, as "superstim run" takes it; or the folder of a sweep')
    .option(
      '-u, --units <pattern>',
      'a job for each unit: "L*.H*", "L2.N0-511", "block3_conv2:*"; with --template',
      single,
    )
    .option('--template <job>', 'with --units: a .json file with all of the job but its unit', single)
    .option('-o, --out <dir>', 'folder of the sweep (default: "sweep")')
    .addOption(otherDeviceOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim sweep jobs.jsonl --out sweeps/heads\n  $ superstim sweep sweeps/heads            # the rest of it, and what failed once more\n  $ superstim sweep --units "L*.H*" --template job.json',
    )
    .action(async (jobs: string | undefined, flags: SweepFlags) => {
      const output = new Output(flags);
      const { device } = flags;
      const { runSweep } = await import('../../sweep/run-sweep.js');
      const sweep = await openSweep(jobs, flags, output);
      try {
        const document = await withInterrupt(output, (signal) =>
          finishRun(showProgress(runSweep(sweep, { signal, ...(device && { device }) }), output)),
        );
        await print(document, output);
      } finally {
        sweep.close();
      }
    });
}

async function openSweep(jobs: string | undefined, flags: SweepFlags, output: Output) {
  const { isSweepFolder, Sweep } = await import('../../sweep/sweep-file.js');
  if (jobs !== undefined && isSweepFolder(jobs)) {
    if (flags.units !== undefined || flags.template !== undefined || flags.out !== undefined)
      throw new UsageError(`${jobs} is a sweep, which has its jobs and its folder: give no other option`);
    return Sweep.open(jobs, null);
  }
  const { settledJob } = await import('../../jobs/job.js');
  const asked = await askedJobs(jobs, flags, output);
  // One after the other: there may be very many.
  const settled: object[] = [];
  for (const job of asked) settled.push(await settledJob(job));
  return Sweep.open(flags.out ?? 'sweep', settled);
}

async function askedJobs(
  jobs: string | undefined,
  { units, template }: SweepFlags,
  output: Output,
): Promise<object[]> {
  const { readJobLines } = await import('../../sweep/job-list.js');
  if (jobs !== undefined && units === undefined && template === undefined) return readJobLines(jobs);
  if (jobs !== undefined || units === undefined || template === undefined)
    throw new UsageError('a sweep needs a file with jobs, or --units and --template, and not both');
  const { readJobFile } = await import('../../jobs/job-file.js');
  const { templateJobs } = await import('../../sweep/template-jobs.js');
  return finishRun(showProgress(templateJobs(units, readJobFile(template)), output));
}

async function print(document: import('../../sweep/sweep-file.js').SweepDocument, output: Output) {
  const { formatSweep } = await import('../results/sweep.js');
  output.result(document, (paint) => formatSweep(document, paint));
  if (document.jobs.some(({ state }) => state === 'failed')) process.exitCode ??= exitCodes.failed;
}
