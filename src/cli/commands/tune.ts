/** @file `superstim tune`: a language model learns to write what excites a unit. */
import { Command, Option } from 'commander';
import { counted, formatSeconds } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { SampleStatistics } from '../../rl/sample-statistics.js';
import type { TuneResult } from '../../rl/tune.js';
import { klEstimatorNames, tuneAlgorithms, tuneBounds, tuneDefaults } from '../../rl/tune-defaults.js';
import { textBounds } from '../../text/names.js';
import type { JobCommand, Printer } from '../job-command.js';
import { integer, number, outOption, single } from '../options.js';
import { tuiOption } from '../watch-run.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

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
  algorithm: string;
  scaleRewards?: boolean;
  kl: string;
  rank: number;
  alpha?: number;
  targets: string[];
  weightDecay: number;
  clip: number;
  checkpointEvery: number;
  out: string;
  tui?: boolean;
}

export const tuneCommand: JobCommand<'tune', TuneFlags> = {
  command() {
    const command = new Command('tune')
      .description('teach a language model to write what excites a unit')
      .requiredOption(
        '-u, --unit <unit>',
        'L5.H1, L3.N1000, -L3.N10, "L5.H1 + 0.5*L6.N20", … (as in superstim text)',
        single,
      )
      .option('--prior <model>', 'language model to tune, and to stay near to (default: the model itself)')
      .option('-n, --length <tokens>', 'tokens of a text', integer(textBounds.length), tuneDefaults.length)
      .option('--steps <number>', 'updates', integer(tuneBounds.steps), tuneDefaults.steps)
      .option('--batch <number>', 'texts an update', integer(tuneBounds.batch), tuneDefaults.batch)
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
        number(tuneBounds.selectivity),
        tuneDefaults.selectivity,
      )
      .optionsGroup('Algorithm:')
      .addOption(
        new Option('--algorithm <name>', 'baseline: the mean of the others (rloo) or of all (grpo)')
          .choices(tuneAlgorithms)
          .default(tuneDefaults.algorithm),
      )
      .option('--scale-rewards', 'divide advantages by their deviation, as GRPO was published')
      .addOption(
        new Option('--kl <estimator>', 'k1: part of the reward, exact; k3: part of the loss, as in GRPO')
          .choices(klEstimatorNames)
          .default(tuneDefaults.kl),
      )
      .option('--rank <number>', 'rank of the adapters', integer(tuneBounds.rank), tuneDefaults.rank)
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
        integer(tuneBounds.checkpointEvery),
        tuneDefaults.checkpointEvery,
      )
      .optionsGroup('Options:')
      .addOption(outOption())
      .addOption(tuiOption());
    return addProbeOptions(command).addHelpText(
      'after',
      '\nExamples:\n  $ superstim tune --unit L2.H3\n  $ superstim tune --unit L2.H3 --kl-target 8 --steps 300 --json\n  $ superstim text --unit L2.H3 --method sample --policy runs/20250131-120000-L2.H3',
    );
  },
  job(flags) {
    const { unit, length, steps, batch, beta, klTarget, selectivity, algorithm, kl, rank, targets } = flags;
    return {
      task: 'tune',
      ...probeFields(flags),
      unit,
      length,
      steps,
      batch,
      beta,
      klTarget,
      selectivity,
      algorithm,
      kl,
      rank,
      targets,
      weightDecay: flags.weightDecay,
      checkpointEvery: flags.checkpointEvery,
      learningRate: flags.rate,
      clipNorm: flags.clip,
      scaleRewards: flags.scaleRewards ?? false,
      alpha: flags.alpha ?? null,
      prior: flags.prior ?? null,
    };
  },
  format: formatTune,
};

/** Texts of the frontier that are printed; `--json` and the run folder have all. */
const ROWS = 8;

/** Samples before and after, and the strongest texts. */
function formatTune(document: TuneResult & { run: string }, { paint, table }: Printer): string {
  const { unit, steps, cost, samples, prior_samples, frame, frontier, adapter, run } = document;
  const rows = [...(samples ? [sampleRow('tuned', samples)] : []), sampleRow('prior', prior_samples)];
  const strongest = [...frontier].sort((a, b) => b.z - a.z).slice(0, ROWS);
  return [
    paint('bold', `${unit}: ${counted(steps, 'step')} in ${formatSeconds(cost.seconds)}`),
    table([['samples', 'z', 'nats', 'different', 'KL'], ...rows]),
    '',
    `the strongest of ${frontier.length} texts on the frontier, hypervolume ${document.hypervolume.toFixed(1)}`,
    table([['nats', 'z', 'margin', 'text'], ...strongest.map(textRow)]),
    '',
    ...(adapter ? [`adapter: ${adapter}`] : []),
    formatFrame(frame),
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
  return [cross_entropy.toFixed(2), z.toFixed(2), margin?.toFixed(2) ?? '', text];
}
