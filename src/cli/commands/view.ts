/** @file `superstim view`: look at runs. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { exitCodes } from '../../core/errors.js';
import type { ViewPlace } from '../../tui/places.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';
import { addQueueOptions, namedQueue, type QueueOptions } from '../queue-options.js';
import { onTerminal } from '../watch-run.js';

interface ViewFlags extends CommonOptions, QueueOptions {
  screenReader?: boolean;
}

export function viewCommand(): Command {
  const command = new Command('view')
    .description('explore runs in the terminal: frontier, tokens, evidence, pictures, curves')
    .argument('[run]', 'a run folder, or a folder of runs', 'runs')
    .option('--screen-reader', 'sentences instead of drawings (so does INK_SCREEN_READER=true)');
  return addQueueOptions(command)
    .addHelpText(
      'after',
      '\nPress ? for the keys. Off a terminal the same is printed as text.\n\nExamples:\n  $ superstim view\n  $ superstim view runs/20250131-120000-L2.H3\n  $ superstim view runs/20250131-120000-L2.H3 --json\n  $ superstim view --queue redis://host:6379',
    )
    .action(async (path: string, flags: ViewFlags) => {
      if (flags.queue !== undefined) return watchQueue(flags);
      const { isRunFolder } = await import('../../runs/run-file.js');
      if (flags.json || !onTerminal()) await print(path, isRunFolder(path), new Output(flags));
      else await explore(resolve(path), isRunFolder(path), flags);
    });
}

/** A queue of jobs, live on a terminal. */
async function watchQueue(flags: ViewFlags): Promise<void> {
  process.env.NODE_ENV ??= 'production';
  const { SweepQueue } = await import('../../sweep/queue/queue.js');
  const queue = await SweepQueue.open(await namedQueue(flags));
  try {
    if (flags.json || !onTerminal()) {
      const status = await queue.status();
      const { formatQueue } = await import('../results/sweep.js');
      return new Output(flags).result(status, (paint) => formatQueue(status, paint));
    }
    const { viewQueue } = await import('../../tui/queue-viewer.js');
    const { color = true, screenReader } = flags;
    const how = await viewQueue(queue, { color, ...(screenReader !== undefined && { screenReader }) });
    if (how === 'interrupt') process.exitCode = exitCodes.interrupted;
  } finally {
    await queue.close();
  }
}

async function print(path: string, isRun: boolean, output: Output): Promise<void> {
  const text = await import('../../tui/plain-text.js');
  if (!isRun) {
    const { listRuns, selectRuns } = await import('../../tui/run-list.js');
    const runs = selectRuns(listRuns(path), '', 'newest');
    output.result(runs, () => text.describeRuns(runs, path));
    return;
  }
  const { viewRun } = await import('../../runs/read-run.js');
  const { snapshotOf } = await import('../../tui/run-source.js');
  const reading = viewRun(path);
  const { view: _, ...facts } = reading;
  const snapshot = snapshotOf(reading);
  const { end, baselines, explanations, warnings } = snapshot.view;
  const document = {
    ...facts,
    frontier: snapshot.view.frontier,
    baselines: Object.fromEntries(baselines),
    explanations: [...explanations.values()],
    warnings,
    result: end?.kind === 'finished' ? end.result : null,
  };
  output.result(document, () => text.describeRun(snapshot));
}

async function explore(path: string, isRun: boolean, flags: ViewFlags): Promise<void> {
  // React's other build is made for debugging and several times slower.
  process.env.NODE_ENV ??= 'production';
  const { dirname } = await import('node:path');
  const { runPlace, runsPlace } = await import('../../tui/places.js');
  const { openViewer } = await import('../../tui/viewer.js');
  const start: [ViewPlace, ...ViewPlace[]] = isRun ? [runsPlace, runPlace(path)] : [runsPlace];
  const how = await openViewer({
    start,
    folder: isRun ? dirname(path) : path,
    color: flags.color ?? true,
    ...(flags.screenReader !== undefined && { screenReader: flags.screenReader }),
  }).left;
  if (how === 'interrupt') process.exitCode = exitCodes.interrupted;
}
