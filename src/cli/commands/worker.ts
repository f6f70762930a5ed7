/** @file `superstim worker`: computes the jobs of a queue. */

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { fileError } from '../../core/file-error.js';
import { counted } from '../../core/format.js';
import { type DeviceChoice, THREADS_VARIABLE } from '../../engine/engine-names.js';
import { withInterrupt } from '../interrupt.js';
import { type CommonOptions, integer, number, otherDeviceOption } from '../options.js';
import { Output } from '../output.js';
import { addQueueOptions, namedQueue, type QueueOptions } from '../queue-options.js';

interface WorkerFlags extends CommonOptions, QueueOptions {
  out: string;
  models?: string;
  stalledAfter: number;
  threads?: number;
  device?: DeviceChoice;
}

export function workerCommand(): Command {
  const command = new Command('worker')
    .description('compute the jobs of a queue, until it is stopped')
    .option(
      '-o, --out <dir>',
      'folder for the run folders; where it has the folder of the sweep, they go there',
      'runs',
    )
    .option(
      '--models <dir>',
      'folder with the models, texts and dictionaries that jobs may name, relative to it (default: none)',
    )
    .option(
      '--stalled-after <seconds>',
      'silence after which another worker takes over a job',
      number({ min: 1 }),
      30,
    )
    .option(
      '--threads <count>',
      'threads of an operation on the CPU, for several workers on one machine (default: all cores)',
      integer({ min: 1 }),
    )
    .addOption(otherDeviceOption());
  return addQueueOptions(command)
    .addHelpText('after', '\nExamples:\n  $ superstim worker --queue redis://host:6379 --out /shared/sweeps')
    .action(async (flags: WorkerFlags) => {
      const output = new Output(flags);
      const address = await namedQueue(flags);
      const out = resolve(flags.out);
      const { stalledAfter, device, threads } = flags;
      if (threads !== undefined) process.env[THREADS_VARIABLE] = String(threads);
      const models = flags.models === undefined ? null : enter(flags.models);
      const { makeFolder } = await import('../../runs/files.js');
      makeFolder(out);
      const { runWorker } = await import('../../sweep/queue/worker.js');
      const document = await withInterrupt(output, (signal) =>
        runWorker({
          address,
          out,
          models,
          device,
          stalledAfter,
          signal,
          say: (sentence) => output.say(sentence),
          status: (line) => output.status(line?.slice(0, output.statusWidth) ?? null),
        }),
      );
      output.result(
        document,
        () => `${document.worker}: ${counted(document.done, 'job')} done, ${document.failed} failed`,
      );
    });
}

/** Names of files in jobs are relative to this folder, so the process works in it. */
function enter(folder: string): string {
  try {
    process.chdir(folder);
  } catch (error) {
    throw fileError(error, `enter ${folder}`);
  }
  return realpathSync('.');
}
