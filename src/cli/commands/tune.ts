/** @file `superstim tune`: a language model learns to write what excites a unit. */
import { Command, Option } from 'commander';
import { formatSeconds, formatTable, oneLine } from '../../core/format.js';
import type { Baseline, KlEstimator } from '../../rl/policy-gradient.js';
import type { SampleStatistics } from '../../rl/sample-statistics.js';
import type { TuneResult } from '../../rl/tune.js';
import { priceOf, tuneDefaults } from '../../rl/tune-defaults.js';
import type { TuneOptions } from '../../rl/tuning.js';
import type { JsonValue, ScoredText } from '../../runs/events.js';
import type { RunState } from '../../runs/read-run.js';
import type { RunDescription, RunFolder } from '../../runs/run-folder.js';
import { withInterrupt } from '../interrupt.js';
import { integer, number, outOption } from '../options.js';
import { Output, type Paint } from '../output.js';
import { tuiOption, type WatchOptions, watchRun } from '../watch-run.js';
import { addProbeOptions, openModel, type ProbeFlags, placeOf, sessionOf } from './text-options.js';

interface TuneFlags extends ProbeFlags {
  unit: string;
  prior?: string;
  length: number;
  steps: number;
  batch: number;
  rate: number;
  beta?: number;
  klTarget?: number;
  selectivity: number;
  algorithm: keyof typeof algorithms;
  scaleRewards?: boolean;
  kl: KlEstimator;
  rank: number;
  alpha?: number;
  targets: string[];
  weightDecay: number;
  clip: number;
  checkpointEvery: number;
  out: string;
  tui?: boolean;
}

const algorithms = { rloo: 'loo', grpo: 'group' } as const satisfies Record<string, Baseline>;
const klEstimators: readonly KlEstimator[] = ['k1', 'k3'];
/** Texts of the frontier that are printed; `--json` and the run folder have all. */
const ROWS = 8;

export function tuneCommand(): Command {
  const command = new Command('tune')
    .description('teach a language model to write what excites a unit')
    .requiredOption('-u, --unit <unit>', 'L5.H1, L3.N1000, L3.N1000:pre, L5.D:file.safetensors#name, …')
    .option('--prior <model>', 'language model to tune, and to stay near to (default: the model itself)')
    .option('-n, --length <tokens>', 'tokens of a text', integer({ min: 1 }), tuneDefaults.length)
    .option('--steps <number>', 'updates', integer({ min: 1 }), tuneDefaults.steps)
    .option('--batch <number>', 'texts an update', integer({ min: 2 }), tuneDefaults.batch)
    .option('--rate <number>', 'learning rate at its peak', number({ above: 0 }), tuneDefaults.learningRate)
    .option(
      '--kl-target <nats>',
      'divergence of a text from the prior that beta is steered to (default: 1.1 a token, unless --beta is given)',
      number({ above: 0 }),
    )
    .option(
      '--beta <number>',
      'sigmas that a nat away from the prior costs: fixed, or with --kl-target where it begins',
      number({ above: 0 }),
    )
    .option(
      '--selectivity <share>',
      "share of the strongest rival's z that is taken off the reward",
      number({ min: 0, max: 1 }),
      0,
    )
    .optionsGroup('Algorithm:')
    .addOption(
      new Option('--algorithm <name>', 'baseline: the mean of the others (rloo) or of all (grpo)')
        .choices(Object.keys(algorithms))
        .default('rloo'),
    )
    .option('--scale-rewards', 'divide advantages by their deviation, as GRPO was published')
    .addOption(
      new Option('--kl <estimator>', 'k1: part of the reward, exact; k3: part of the loss, as in GRPO')
        .choices(klEstimators)
        .default('k1'),
    )
    .option('--rank <number>', 'rank of the adapters', integer({ min: 1 }), tuneDefaults.rank)
    .option(
      '--alpha <number>',
      'adapters are scaled by alpha / rank (default: twice the rank)',
      number({ above: 0 }),
    )
    .option(
      '--targets <modules>',
      'matrices to adapt, with commas: all-linear, attention, mlp, or names as in PEFT',
      (text: string) => text.split(',').map((part) => part.trim()),
      [...tuneDefaults.targets],
    )
    .option(
      '--weight-decay <number>',
      'of the adapters, in units of the learning rate',
      number({ min: 0 }),
      tuneDefaults.weightDecay,
    )
    .option('--clip <number>', 'largest norm of a gradient', number({ above: 0 }), tuneDefaults.clipNorm)
    .option(
      '--checkpoint-every <steps>',
      'steps between checkpoints',
      integer({ min: 1 }),
      tuneDefaults.checkpointEvery,
    )
    .optionsGroup('Options:')
    .addOption(outOption())
    .addOption(tuiOption());
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim tune --unit L2.H3\n  $ superstim tune --unit L2.H3 --kl-target 8 --steps 300 --json\n  $ superstim text --unit L2.H3 --method sample --policy runs/20250131-120000-L2.H3',
    )
    .action(async (flags: TuneFlags) => {
      const output = new Output(flags);
      const document = await withInterrupt(output, (signal) => startTune(flags, output, signal));
      output.result(document, (paint) => formatTune(document, paint));
    });
}

type TuneDocument = TuneResult & { run: string };

async function startTune(flags: TuneFlags, output: Output, signal: AbortSignal): Promise<TuneDocument> {
  const { options, description } = await prepare(flags, output, signal);
  const { checkTune } = await import('../../rl/tune.js');
  const { createRunFolder } = await import('../../runs/run-folder.js');
  checkTune(options);
  const folder = createRunFolder(flags.out, description);
  return record(options, folder, { flags, output, signal, description });
}

/**
 * Goes on with a run that was stopped or killed, from its last checkpoint.
 *
 * @throws UserError when the run is finished, or the model is not the one it began with
 */
export async function resumeTune(
  path: string,
  { settings, unit, seed, model }: RunDescription,
  state: RunState,
  output: Output,
  signal: AbortSignal,
): Promise<TuneDocument> {
  const { UserError } = await import('../../core/errors.js');
  const { openRunFolder } = await import('../../runs/run-folder.js');
  const { readTuneState } = await import('../../rl/tune-state.js');
  if (state === 'done') throw new UserError(`${path} is finished: there is nothing left to do`);
  const flags = { ...settings, unit, seed } as unknown as TuneFlags;
  const { options, description } = await prepare(flags, output, signal);
  if (description.model?.hash !== model?.hash)
    throw new UserError(
      `the files of ${flags.model} have changed since the run ${path} began: start a new run`,
    );
  const from = readTuneState(path);
  const watch = { flags, output, signal, description };
  return record({ ...options, ...(from && { from }) }, openRunFolder(path), watch);
}

/** What the flags mean for the library, and what `run.json` says about them. */
async function prepare(
  flags: TuneFlags,
  output: Output,
  signal: AbortSignal,
): Promise<{ options: TuneOptions; description: RunDescription }> {
  const { runVersions } = await import('../../runs/versions.js');
  const { model, modelHash } = await openModel(flags, output, signal);
  const writer =
    flags.prior === undefined ? undefined : await openModel({ ...flags, model: flags.prior }, output, signal);
  const { unit, length, steps, batch, rank, selectivity, checkpointEvery } = flags;
  const price = priceOf(length, flags);
  const options: TuneOptions = {
    ...(await sessionOf(flags, model, modelHash)),
    ...(writer && { writer: writer.model }),
    ...price,
    unit,
    length,
    steps,
    batch,
    selectivity,
    checkpointEvery,
    learningRate: flags.rate,
    weightDecay: flags.weightDecay,
    clipNorm: flags.clip,
    lora: { rank, alpha: flags.alpha ?? tuneDefaults.alphaOfRank * rank, targets: flags.targets },
    gradient: {
      baseline: algorithms[flags.algorithm],
      kl: flags.kl,
      scaled: flags.scaleRewards ?? false,
    },
  };
  // Everything that the run depends on, as flags, so that it can be resumed from wherever.
  const { unit: _, seed, out: __, tui, json, quiet, color, debug, ...given } = flags;
  const { prior, calibrateOn } = given;
  const settings = {
    ...{ ...given, ...price, model: placeOf(given.model) },
    ...(prior !== undefined && { prior: placeOf(prior) }),
    ...(calibrateOn !== undefined && { calibrateOn: placeOf(calibrateOn) }),
  };
  const description: RunDescription = {
    command: ['superstim', ...process.argv.slice(2)],
    task: 'tune',
    unit,
    settings: JSON.parse(JSON.stringify(settings)) as { [name: string]: JsonValue },
    seed,
    versions: runVersions(),
    model: { name: model.name, hash: modelHash },
  };
  return { options, description };
}

async function record(
  options: TuneOptions,
  folder: RunFolder,
  watch: Omit<WatchOptions, 'path'>,
): Promise<TuneDocument> {
  const { recordRun } = await import('../../runs/run-folder.js');
  const { tune } = await import('../../rl/tune.js');
  const begin = (signal: AbortSignal) => recordRun(folder, tune({ ...options, folder: folder.path, signal }));
  const result = await watchRun(begin, { ...watch, path: folder.path });
  folder.writeFrontier(result.frontier);
  return { run: folder.path, ...result };
}

// -- for people ------------------------------------------------------------------------------------------------

export function formatTune(document: TuneDocument, paint: Paint): string {
  const { unit, steps, cost, samples, prior_samples, frontier, adapter, run } = document;
  const rows = [...(samples ? [sampleRow('tuned', samples)] : []), sampleRow('prior', prior_samples)];
  const strongest = [...frontier].sort((a, b) => b.z - a.z).slice(0, ROWS);
  return [
    paint('bold', `${unit}: ${steps} steps in ${formatSeconds(cost.seconds)}`),
    formatTable([['samples', 'z', 'nats', 'different', 'KL'], ...rows]),
    '',
    `the strongest of ${frontier.length} texts on the frontier, hypervolume ${document.hypervolume.toFixed(1)}`,
    formatTable([['nats', 'z', 'margin', 'text'], ...strongest.map(textRow)]),
    '',
    ...(adapter ? [`adapter: ${adapter}`] : []),
    `run: ${run}`,
  ].join('\n');
}

function sampleRow(name: string, { z, z_deviation, cross_entropy, unique, kl }: SampleStatistics): string[] {
  return [
    name,
    `${z.toFixed(2)} ± ${z_deviation.toFixed(2)}`,
    cross_entropy.toFixed(2),
    `${(100 * unique).toFixed(0)} %`,
    kl.toFixed(1),
  ];
}

function textRow({ cross_entropy, z, margin, text }: ScoredText): string[] {
  return [cross_entropy.toFixed(2), z.toFixed(2), margin?.toFixed(2) ?? '', oneLine(text)];
}
