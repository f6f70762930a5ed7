/** @file Options of every command that probes a language model, and the fields of a job that they are. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DeviceChoice, EngineName } from '../../engine/engine-names.js';
import {
  type BosPolicy,
  bosPolicies,
  type ChatRole,
  chatRoles,
  type SequenceScore,
  sequenceScores,
  textBounds,
  textDefaults,
} from '../../text/names.js';
import { headMeasures, isMeasure, measureRule } from '../../text/readouts/head-measures.js';
import {
  type CommonOptions,
  deviceOption,
  engineOption,
  familyOption,
  integer,
  modelOption,
  seedOption,
} from '../options.js';

export interface ProbeFlags extends CommonOptions {
  model?: string;
  family?: string;
  reference: string;
  measure: string;
  at: SequenceScore;
  prefix: string;
  suffix: string;
  chat?: ChatRole;
  bos: BosPolicy;
  calibrateOn?: string;
  calibrationTokens?: number;
  engine: EngineName;
  device: DeviceChoice;
  seed: number;
}

/** Adds the options that `ProbeFlags` has. */
export function addProbeOptions(command: Command): Command {
  return command
    .helpGroup('Probe a language model:')
    .addOption(modelOption())
    .addOption(familyOption())
    .option(
      '-r, --reference <class>',
      'units that should stay quiet: layer, layer:K, all, random:N, none, or names with commas',
      textDefaults.reference,
    )
    .addOption(
      new Option(
        '--measure <measure>',
        `of a head: ${headMeasures.join(', ')}, or logits:TOKEN (signed, toward one token)`,
      )
        .default(textDefaults.measure)
        .argParser(parseMeasure),
    )
    .addOption(
      new Option('--at <position>', 'which position speaks for a text')
        .choices(sequenceScores)
        .default(textDefaults.at),
    )
    .option(
      '--prefix <text>',
      'read before every text, neither searched nor counted; in a chat, what the user says before it',
      textDefaults.prefix,
    )
    .option(
      '--suffix <text>',
      'read behind every text, for --at last, which then is its last token',
      textDefaults.suffix,
    )
    .addOption(
      new Option(
        '--chat <turn>',
        "the text is a turn of the model's chat template; assistant answers --prefix",
      ).choices(chatRoles),
    )
    .addOption(
      new Option('--bos <policy>', 'whether BOS stands in front; auto: yes, or as the chat template says')
        .choices(bosPolicies)
        .default(textDefaults.bos),
    )
    .option('--calibrate-on <file>', 'count z over this text instead of samples of the model')
    .option(
      '--calibration-tokens <number>',
      'tokens to count z over (default: what half a minute allows, at most 16384)',
      integer(textBounds.calibrationTokens),
    )
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(seedOption());
}

function parseMeasure(text: string): string {
  if (isMeasure(text)) return text;
  throw new InvalidArgumentError(`It must be ${measureRule}.`);
}

/** The fields of a job that these options are. */
export function probeFields({ family, calibrateOn, calibrationTokens, ...flags }: ProbeFlags) {
  const { model, reference, measure, at, prefix, suffix, chat, bos, engine, device, seed } = flags;
  return {
    model,
    reference,
    measure,
    at,
    prefix,
    suffix,
    bos,
    engine,
    device,
    seed,
    chat: chat ?? null,
    family: family ?? null,
    calibrationText: calibrateOn ?? null,
    calibrationTokens: calibrationTokens ?? null,
  };
}

/** `--neuronpedia`, of the commands that show what it publishes of a unit. */
export const neuronpediaOption = (): Option =>
  new Option(
    '--neuronpedia <address>',
    'also what Neuronpedia publishes of units that have a name there, from this address of its API (with the variable NEURONPEDIA_API_KEY alone: https://www.neuronpedia.org)',
  );
