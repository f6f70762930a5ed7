/** @file `superstim tune`: a language model learns to write what excites a unit. */
import { Command, Option } from 'commander';
import { klEstimatorNames, tuneAlgorithms, tuneBounds, tuneDefaults } from '../../rl/tune-defaults.js';
import { textBounds } from '../../text/names.js';
import { integer, number, outOption, single } from '../options.js';
import { perform } from '../perform.js';
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

export function tuneCommand(): Command {
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
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim tune --unit L2.H3\n  $ superstim tune --unit L2.H3 --kl-target 8 --steps 300 --json\n  $ superstim text --unit L2.H3 --method sample --policy runs/20250131-120000-L2.H3',
    )
    .action(async (flags: TuneFlags) => {
      await perform({ task: 'tune', ...probeFields(flags), ...tuneFields(flags) }, flags);
    });
}

function tuneFields(flags: TuneFlags) {
  const { unit, length, steps, batch, beta, klTarget, selectivity, algorithm, kl, rank, targets } = flags;
  return {
    ...{ unit, length, steps, batch, beta, klTarget, selectivity, algorithm, kl, rank, targets },
    ...{ weightDecay: flags.weightDecay, checkpointEvery: flags.checkpointEvery },
    learningRate: flags.rate,
    clipNorm: flags.clip,
    scaleRewards: flags.scaleRewards ?? false,
    alpha: flags.alpha ?? null,
    prior: flags.prior ?? null,
  };
}
