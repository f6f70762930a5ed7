/** @file `superstim resume`: resumes a run that was stopped or killed, or extends a search. */
import { Command } from 'commander';
import type { PerformFlags } from '../job-command.js';
import { evaluationsOption, otherDeviceOption, secondsOption } from '../options.js';
import { performResume } from '../perform.js';

interface ResumeFlags extends PerformFlags {
  seconds?: number;
  evaluations?: number;
}

export function resumeCommand(): Command {
  return new Command('resume')
    .description('resume a run that was stopped or killed, or extend a search')
    .argument('<run>', 'a run folder')
    .addOption(secondsOption('more time (default: what is left, or as much again)'))
    .addOption(evaluationsOption('more sequences to score'))
    .addOption(otherDeviceOption())
    .addHelpText('after', '\nExamples:\n  $ superstim resume runs/20250131-235959-L2.H3 --seconds 60')
    .action(async (run: string, flags: ResumeFlags) => {
      const { seconds, evaluations } = flags;
      await performResume(
        run,
        { ...(seconds !== undefined && { seconds }), ...(evaluations !== undefined && { evaluations }) },
        flags,
      );
    });
}
