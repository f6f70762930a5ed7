/** @file `superstim resume`: goes on with a run that was stopped or killed, or a text search that is to go further. */
import { Command, Option } from 'commander';
import { withInterrupt } from '../interrupt.js';
import { type CommonOptions, integer, number } from '../options.js';
import { Output } from '../output.js';
import { openModel, sessionOf } from './text-options.js';
import { formatSearch, type TextDocument } from './text-result.js';
import { openRivals, policyOf, readTextSettings, searchInto } from './text-run.js';
import { formatTune, resumeTune } from './tune.js';

interface ResumeFlags extends CommonOptions {
  seconds?: number;
  evaluations?: number;
}

export function resumeCommand(): Command {
  return new Command('resume')
    .description('go on with a text search or a tuning run from its run folder')
    .argument('<run>', 'a run folder')
    .addOption(
      new Option('-s, --seconds <number>', 'more time (default: what is left, or as much again)')
        .argParser(number({ above: 0 }))
        .conflicts('evaluations'),
    )
    .addOption(
      new Option('-e, --evaluations <number>', 'more sequences to score').argParser(integer({ min: 1 })),
    )
    .addHelpText('after', '\nExamples:\n  $ superstim resume runs/20250131-235959-L2.H3 --seconds 60')
    .action(async (run: string, flags: ResumeFlags) => {
      const output = new Output(flags);
      await withInterrupt(output, (signal) => resume(run, flags, output, signal));
    });
}

async function resume(run: string, more: ResumeFlags, output: Output, signal: AbortSignal): Promise<void> {
  const { UsageError } = await import('../../core/errors.js');
  const { readRun } = await import('../../runs/read-run.js');
  const { description, state } = readRun(run);
  if (description?.task !== 'tune') {
    const document = await goOn(run, more, output, signal);
    output.result(document, (paint) => formatSearch(document, paint));
    return;
  }
  if (more.seconds !== undefined || more.evaluations !== undefined)
    throw new UsageError(
      `${run} tunes a model for a number of steps: --seconds and --evaluations are for searches`,
    );
  const document = await resumeTune(run, description, state, output, signal);
  output.result(document, (paint) => formatTune(document, paint));
}

async function goOn(
  run: string,
  more: ResumeFlags,
  output: Output,
  signal: AbortSignal,
): Promise<TextDocument> {
  const { UserError } = await import('../../core/errors.js');
  const { readRun } = await import('../../runs/read-run.js');
  const { openRunFolder } = await import('../../runs/run-folder.js');
  const { earlierSearch, furtherBudget } = await import('../../text/search/resume.js');
  const { description, events } = readRun(run);
  if (!description)
    throw new UserError(`${run} has no run.json that can be read: its settings are not known`);
  const { task, unit, seed, model: recorded } = description;
  if (task !== 'text' || unit === null || description.settings.model === undefined)
    throw new UserError(
      `${run} cannot be gone on with: only runs of "superstim text" and "superstim tune" can`,
    );
  const settings = readTextSettings(description.settings);
  const flags = { ...settings.flags, seed: seed ?? 0 };
  const { model, modelHash } = await openModel(flags, output, signal);
  if (recorded && recorded.hash !== modelHash)
    throw new UserError(
      `the model ${flags.model} is not the one that ${run} searched: its files have changed`,
    );
  const earlier = earlierSearch(events);
  const budget = furtherBudget(settings.search.budget, earlier, more);
  const session = await sessionOf(flags, model, modelHash);
  const rivals = await openRivals({ ...settings.rivals, engine: flags.engine }, output, signal);
  const drawn = await policyOf(settings.rivals, model);
  return searchInto(
    openRunFolder(run),
    { ...session, ...settings.search, ...rivals, ...drawn, unit, budget, earlier },
    { flags: more, output, signal, description },
  );
}
