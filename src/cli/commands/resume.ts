/** @file `superstim resume`: resumes a run that was stopped or killed, or extends a search. */
import { Command, Option } from 'commander';
import { textBounds } from '../../text/names.js';
import type { PerformFlags } from '../job-command.js';
import { integer, number, otherDeviceOption } from '../options.js';
import { performResume } from '../perform.js';

interface ResumeFlags extends PerformFlags {
  seconds?: number;
  evaluations?: number;
}

export function resumeCommand(): Command {
  return new Command('resume')
    .description('resume a run that was stopped or killed, or extend a search')
    .argument('<run>', 'a run folder')
    .addOption(
      new Option('-s, --seconds <number>', 'more time (default: what is left, or as much again)')
        .argParser(number({ above: 0 }))
        .conflicts('evaluations'),
    )
    .addOption(
      new Option('-e, --evaluations <number>', 'more sequences to score').argParser(
        integer(textBounds.evaluations),
      ),
    )
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
