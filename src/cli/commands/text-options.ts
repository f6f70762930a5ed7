/** @file Options of every command that probes a language model, and the model they name. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EngineName } from '../../engine/compile.js';
import { finishRun } from '../../runs/events.js';
import type { TextModel } from '../../text/lm/model.js';
import { type HeadMeasure, headMeasures, type SequenceScore, sequenceScores } from '../../text/names.js';
import type { SessionOptions } from '../../text/readouts/session.js';
import { type CommonOptions, engineOption, modelOption, seedOption } from '../options.js';
import type { Output } from '../output.js';
import { showProgress } from '../progress.js';

export interface ProbeFlags extends CommonOptions {
  model: string;
  reference: string;
  measure: HeadMeasure | { toward: string };
  at: SequenceScore;
  calibrateOn?: string;
  engine: EngineName;
  seed: number;
}

/** Adds `--model`, `--reference`, `--measure`, `--at`, `--calibrate-on`, `--engine` and `--seed`. */
export function addProbeOptions(command: Command): Command {
  return command
    .addOption(modelOption())
    .option(
      '-r, --reference <class>',
      'units that should stay quiet: layer, layer:K, all, random:N, none, or names with commas',
      'layer',
    )
    .addOption(
      new Option(
        '--measure <measure>',
        `of a head: ${headMeasures.join(', ')}, or logits:TOKEN (signed, toward one token)`,
      )
        .default('delta')
        .argParser(parseMeasure),
    )
    .addOption(
      new Option('--at <position>', 'which position speaks for a text')
        .choices(sequenceScores)
        .default('max'),
    )
    .option('--calibrate-on <file>', 'count z over this text instead of samples of the model')
    .addOption(engineOption())
    .addOption(seedOption());
}

function parseMeasure(text: string): HeadMeasure | { toward: string } {
  const toward = /^logits:(.+)$/s.exec(text)?.[1];
  if (toward !== undefined) return { toward };
  const found = headMeasures.find((measure) => measure === text);
  if (!found) throw new InvalidArgumentError(`It must be ${headMeasures.join(', ')} or logits:TOKEN.`);
  return found;
}

/** A name that is a path here, so that it is found again from wherever a run is gone on with. */
export const placeOf = (name: string) => (existsSync(name) ? resolve(name) : name);

/** Finds, loads and hashes the model; a download shows its progress. */
export async function openModel(
  flags: ProbeFlags,
  output: Output,
  signal: AbortSignal,
): Promise<{ model: TextModel; modelHash: string }> {
  const { resolveModel } = await import('../../hub/resolve-model.js');
  const { loadTextModel } = await import('../../text/lm/model.js');
  const { hashModel } = await import('../../hub/model-hash.js');
  const { folder, name } = await finishRun(showProgress(resolveModel(flags.model, { signal }), output));
  const model = await loadTextModel(folder);
  for (const note of model.notes ?? []) output.warn(note);
  return { model: { ...model, name }, modelHash: await hashModel(folder) };
}

/** What the flags mean for the library. Throws UsageError when `logits:TOKEN` names no token. */
export async function sessionOf(
  flags: ProbeFlags,
  model: TextModel,
  modelHash: string,
): Promise<SessionOptions> {
  const { UsageError } = await import('../../core/errors.js');
  const { engine, at, reference, seed, calibrateOn, measure } = flags;
  const toward = typeof measure === 'string' ? null : model.tokenizer.tokenId(measure.toward);
  if (typeof measure !== 'string' && toward === null) {
    throw new UsageError(
      `"${measure.toward}" is not one token of ${model.name}: --measure logits:TOKEN needs a single token, with its leading space`,
    );
  }
  return {
    model,
    modelHash,
    engine,
    at,
    reference,
    seed,
    measure: typeof measure === 'string' ? measure : { toward: toward! },
    ...(calibrateOn !== undefined && { calibrationText: calibrateOn }),
  };
}
