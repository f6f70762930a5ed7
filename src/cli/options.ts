/** @file The options that several commands share, each made in one place. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { seedBounds } from '../core/random.js';
import { deviceChoices, deviceNames, engineNames } from '../engine/engine-names.js';
import { textBounds, textDefaults } from '../text/names.js';
import type { OutputOptions } from './output.js';

/** Adds `--json`, `--quiet`, `--no-color` and `--debug`, which every command has, in a group of their own. */
export function addOutputOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('--json', 'print the result as one JSON document')
    .option('-q, --quiet', 'no progress and no remarks on stderr')
    .option('--no-color', 'no colours (so does the variable NO_COLOR)')
    .option('--debug', 'show the stack of an error');
}

/** What `addOutputOptions` parses to. */
export interface CommonOptions extends OutputOptions {
  debug?: boolean;
}

/** `--model`. Its default is the job's: the name of a unit may have a model in it. */
export const modelOption = (): Option =>
  new Option(
    '-m, --model <model>',
    `name of an embedded model, a folder, or a hub id (org/name) (default: "${textDefaults.model}", or the model of a unit's Neuronpedia name)`,
  );

/** `--family`. */
export const familyOption = (): Option =>
  new Option(
    '--family <name>',
    'read a model of an unknown architecture as one of this family, such as llama',
  );

/** `--engine`. */
export function engineOption(): Option {
  return new Option('--engine <engine>', 'what computes').choices(engineNames).default(engineNames[0]);
}

/** `--device`. */
export function deviceOption(): Option {
  return new Option('--device <device>', 'where the engine onnx computes (auto: on a GPU, if there is one)')
    .choices(deviceChoices)
    .default(deviceNames[0]);
}

/** `--device` for a job that says where. */
export const otherDeviceOption = (): Option =>
  new Option('--device <device>', 'compute there, and not where the job says').choices(deviceChoices);

/** `--seed`. */
export function seedOption(): Option {
  return new Option('--seed <number>', 'start of the random numbers: same seed, same result')
    .argParser(integer(seedBounds))
    .default(0);
}

/** `--out`: the folder that gets the run folder. */
export function outOption(): Option {
  return new Option('-o, --out <dir>', 'folder for the run folder').default('runs');
}

export interface Bounds {
  min?: number;
  max?: number;
}

/** A parser of whole numbers for `argParser`, bounds included. */
export function integer(bounds: Bounds = {}): (text: string) => number {
  return (text) => checkBounds(/^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN, 'a whole number', bounds);
}

/** A parser of finite numbers for `argParser`, bounds included; `above` excludes its value. */
export function number(bounds: Bounds & { above?: number } = {}): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (bounds.above !== undefined && value <= bounds.above) {
      throw new InvalidArgumentError(`It must be a number above ${bounds.above}.`);
    }
    return checkBounds(value, 'a number', bounds);
  };
}

/** An `argParser` for an option that may be given once: a second one is an error, not the winner. */
export function single(text: string, previous: string | undefined): string {
  if (previous === undefined) return text;
  throw new InvalidArgumentError(`It was given before, as "${previous}"; it may be given once.`);
}

/** An `argParser` for an option that may be given several times: a list in the order given. */
export function repeated<T>(parse: (text: string) => T): (text: string, previous: T[] | undefined) => T[] {
  return (text, previous) => [...(previous ?? []), parse(text)];
}

function checkBounds(value: number, kind: string, { min, max }: Bounds): number {
  if (Number.isFinite(value) && value >= (min ?? value) && value <= (max ?? value)) return value;
  const range =
    min !== undefined && max !== undefined
      ? ` from ${min} to ${max}`
      : min !== undefined
        ? ` of at least ${min}`
        : max !== undefined
          ? ` of at most ${max}`
          : '';
  throw new InvalidArgumentError(`It must be ${kind}${range}.`);
}

/** `--seconds`, in place of `--evaluations`. */
export const secondsOption = (description: string): Option =>
  new Option('-s, --seconds <number>', description).argParser(number({ above: 0 })).conflicts('evaluations');

/** `--evaluations`. */
export const evaluationsOption = (
  description = 'sequences to score instead, which makes the result repeatable',
): Option => new Option('-e, --evaluations <number>', description).argParser(integer(textBounds.evaluations));
