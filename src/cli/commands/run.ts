/** @file `superstim run`: a job from a file, or once more the job of a run folder. */
import { Command } from 'commander';
import type { PerformFlags } from '../job-command.js';
import { otherDeviceOption, outOption } from '../options.js';
import { perform } from '../perform.js';
import { tuiOption } from '../watch-run.js';

export function runCommand(): Command {
  return new Command('run')
    .description('run a job from a JSON file; the run.json of a run folder is its job')
    .argument('<job>', 'a .json file, or a run folder')
    .addOption(outOption())
    .addOption(otherDeviceOption())
    .addOption(tuiOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim run job.json          # {"task": "text", "unit": "L2.H5", "evaluations": 2000}\n  $ superstim run runs/20250131-235959-L2.H3',
    )
    .action(async (file: string, flags: PerformFlags) => {
      const { readJobFile } = await import('../../jobs/job-file.js');
      await perform(readJobFile(file), flags);
    });
}
