/** @file `superstim sweep`: many jobs, in this process or in a queue. */

import { Command, Option } from 'commander';
import { exitCodes, UsageError } from '../../core/errors.js';
import { counted } from '../../core/format.js';
import type { DeviceChoice } from '../../engine/engine-names.js';
import { finishRun } from '../../runs/events.js';
import type { Sweep, SweepDocument } from '../../sweep/sweep-file.js';
import { withInterrupt } from '../interrupt.js';
import { type CommonOptions, otherDeviceOption, single } from '../options.js';
import { Output } from '../output.js';
import { showProgress } from '../progress.js';
import { addQueueOptions, namedQueue, type QueueOptions } from '../queue-options.js';

interface SweepFlags extends CommonOptions, QueueOptions {
  units?: string;
  template?: string;
  out?: string;
  device?: DeviceChoice;
  /** False after `--no-wait`. */
  wait: boolean;
  status?: boolean;
  pause?: boolean;
  unpause?: boolean;
  cancel?: string[] | true;
}

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('run many jobs, one after the other or in a queue; the same command continues a sweep')
    .argument('[jobs]', 'a file with one job per line, as "superstim run" takes it; or the folder of a sweep')
    .option(
      '-u, --units <pattern>',
      'a job for each unit: "L*.H*", "L2.N0-511", "block3_conv2:*"; with --template',
      single,
    )
    .option('--template <job>', 'with --units: a .json file with all of the job but its unit', single)
    .option('-o, --out <dir>', 'folder of the sweep (default: "sweep")')
    .addOption(otherDeviceOption());
  const asks = ['status', 'pause', 'unpause', 'cancel'];
  const ask = (flags: string, description: string) => {
    const option = new Option(flags, description);
    return option.conflicts(asks.filter((name) => name !== option.name()));
  };
  return addQueueOptions(command)
    .optionsGroup('Queue:')
    .option('--no-wait', 'add the jobs to the queue and leave; the same command brings in what is done')
    .addOption(ask('--status', 'how the queue stands; of a sweep folder, without one, how that stands'))
    .addOption(ask('--pause', 'no worker of the queue begins another job'))
    .addOption(ask('--unpause', 'workers continue'))
    .addOption(ask('--cancel [job...]', 'take jobs out of the queue, all or some; what they found is kept'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim sweep jobs.jsonl --out sweeps/heads\n  $ superstim sweep sweeps/heads            # the rest of it, and what failed once more\n  $ superstim sweep --units "L*.H*" --template job.json\n  $ superstim sweep jobs.jsonl --queue redis://host:6379',
    )
    .action(async (jobs: string | undefined, flags: SweepFlags) => {
      const output = new Output(flags);
      if (flags.status || flags.pause || flags.unpause || flags.cancel) return askQueue(jobs, flags, output);
      const document =
        flags.queue === undefined ? await here(jobs, flags, output) : await inQueue(jobs, flags, output);
      await print(document, output);
      if (document.jobs.some(({ state }) => state === 'failed')) process.exitCode ??= exitCodes.failed;
    });
}

async function here(jobs: string | undefined, flags: SweepFlags, output: Output): Promise<SweepDocument> {
  const { settledJob } = await import('../../jobs/job.js');
  const { runSweep } = await import('../../sweep/run-sweep.js');
  const { device } = flags;
  const sweep = await openSweep(jobs, flags, output, settledJob);
  try {
    return await withInterrupt(output, (signal) =>
      finishRun(showProgress(runSweep(sweep, { signal, ...(device && { device }) }), output)),
    );
  } finally {
    sweep.close();
  }
}

async function inQueue(jobs: string | undefined, flags: SweepFlags, output: Output): Promise<SweepDocument> {
  if (flags.device) throw new UsageError('--device is for each worker to say: leave it out with --queue');
  const address = await namedQueue(flags);
  const { SweepQueue } = await import('../../sweep/queue/queue.js');
  const { collectSweep, submitSweep } = await import('../../sweep/queue/collect.js');
  const queue = await SweepQueue.open(address);
  let sweep: Sweep | null = null;
  try {
    // Paths stay as they are: they are the workers'.
    const opened = await openSweep(jobs, flags, output, (job) => job);
    sweep = opened;
    return await withInterrupt(output, async (signal) => {
      await submitSweep(opened, queue, signal);
      if (!flags.wait) return opened.document();
      return finishRun(showProgress(collectSweep(opened, queue, signal), output));
    });
  } finally {
    sweep?.close();
    await queue.close();
  }
}

/** @param read - reads a job as the sweep is to keep it */
async function openSweep(
  jobs: string | undefined,
  flags: SweepFlags,
  output: Output,
  read: (job: object) => object | Promise<object>,
): Promise<Sweep> {
  const { isSweepFolder, Sweep } = await import('../../sweep/sweep-file.js');
  if (jobs !== undefined && isSweepFolder(jobs)) {
    if (flags.units !== undefined || flags.template !== undefined || flags.out !== undefined)
      throw new UsageError(`${jobs} is a sweep, which has its jobs and its folder: give no other`);
    return Sweep.open(jobs, null);
  }
  const kept: object[] = [];
  // One after the other: there may be very many.
  for (const job of await askedJobs(jobs, flags, output)) kept.push(await read(job));
  return Sweep.open(flags.out ?? 'sweep', kept);
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

/** `--status`, `--pause`, `--unpause`, `--cancel`. */
async function askQueue(jobs: string | undefined, flags: SweepFlags, output: Output): Promise<void> {
  const { isSweepFolder, readSweep } = await import('../../sweep/sweep-file.js');
  if (flags.status && flags.queue === undefined && jobs !== undefined && isSweepFolder(jobs))
    return print(readSweep(jobs), output);
  const { SweepQueue } = await import('../../sweep/queue/queue.js');
  const queue = await SweepQueue.open(await namedQueue(flags));
  try {
    if (flags.pause || flags.unpause) await queue.pause(flags.pause === true);
    if (flags.cancel) {
      const cancelled = await queue.cancel(flags.cancel === true ? null : flags.cancel);
      output.say(`${counted(cancelled, 'job')} cancelled`);
    }
    const status = await queue.status();
    const { formatQueue } = await import('../results/sweep.js');
    output.result(status, (paint) => formatQueue(status, paint));
  } finally {
    await queue.close();
  }
}

async function print(document: SweepDocument, output: Output): Promise<void> {
  const { formatSweep } = await import('../results/sweep.js');
  output.result(document, (paint) => formatSweep(document, paint));
}
