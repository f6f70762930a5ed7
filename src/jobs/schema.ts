/**
 * @file A job is plain data: what is to be computed, by task. The same object is made of flags, read from a file or a
 * queue, and kept as `run.json`; these schemas are its only readers. Defaults are those of the command line.
 */
import { z } from 'zod';
import { seedBounds } from '../core/random.js';
import { deviceChoices, engineNames } from '../engine/engine-names.js';
import { klEstimatorNames, tuneAlgorithms, tuneBounds, tuneDefaults } from '../rl/tune-defaults.js';
import {
  bosPolicies,
  chatRoles,
  searchMethodNames,
  sequenceScores,
  textBounds,
  textDefaults,
} from '../text/names.js';
import { isMeasure, measureRule } from '../text/readouts/head-measures.js';
import {
  imageBounds,
  imageDefaults,
  inputKinds,
  optimizerNames,
  parameterizationNames,
  rangeNames,
} from '../vision/names.js';
import { readSize, sizeRule } from '../vision/picture-size.js';

/** Version of a job's fields. It is raised when a field changes its meaning; older ones are brought up to it (`old-jobs.ts`). */
export const JOB_VERSION = 1;

const text = z.string().max(100_000);
const name = z.string().min(1).max(10_000);
const names = z.array(name).min(1).max(100_000);
const above0 = z.number().gt(0);
const within = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);

const common = {
  version: z.literal(JOB_VERSION).default(JOB_VERSION),
  engine: z.enum(engineNames).default('onnx'),
  /** Where the engine `onnx` computes. */
  device: z.enum(deviceChoices).default('cpu'),
  seed: within(seedBounds).default(0),
};

/** What every job about a language model says. */
const probe = {
  ...common,
  /** An embedded model's name, a folder, or a hub id. */
  model: name.default(textDefaults.model),
  /** The family of architectures that the model is read as; null = the one that it names. */
  family: name.nullable().default(null),
  /** Measure of a head; `logits:TOKEN` is signed, toward one token. */
  measure: z
    .string()
    .max(1000)
    .refine(isMeasure, { message: `must be ${measureRule}` })
    .default(textDefaults.measure),
  at: z.enum(sequenceScores).default(textDefaults.at),
  /** What is read before and behind a text, but neither searched nor counted. */
  prefix: text.default(textDefaults.prefix),
  suffix: text.default(textDefaults.suffix),
  /** The turn of the tokenizer's chat template that the text is; null = no conversation. */
  chat: z.enum(chatRoles).nullable().default(null),
  bos: z.enum(bosPolicies).default(textDefaults.bos),
  /** The reference class. */
  reference: name.default(textDefaults.reference),
  /** A text file to calibrate on; null = samples of the model. */
  calibrationText: name.nullable().default(null),
  /** Positions to calibrate on, about; null = as many as half a minute allows, 16,384 at most. */
  calibrationTokens: within(textBounds.calibrationTokens).nullable().default(null),
};

/** What is asked of a language model before any text or unit. */
export const probeSchema = z.strictObject(probe);

const length = within(textBounds.length);
/** The address of Neuronpedia's API, for units that have a name there; null = asked where `NEURONPEDIA_API_KEY` is set. */
const neuronpedia = name.nullable().default(null);

const score = z
  .strictObject({
    task: z.literal('score'),
    ...probe,
    text,
    units: names,
    /** Also what the predictions lose without each unit. */
    ablate: z.boolean().default(false),
    /** Only raw values, which need no calibration. */
    raw: z.boolean().default(false),
    neuronpedia,
  })
  .refine(({ ablate, raw }) => !(ablate && raw), {
    message: 'needs no calibration, and `ablate` does: one of the two',
    path: ['raw'],
  });

const explain = z.strictObject({
  task: z.literal('explain'),
  ...probe,
  text,
  unit: name,
  /** Replacements tried a position; 0 leaves substitutions out. */
  replacements: within(textBounds.replacements).default(textDefaults.replacements),
  /** Also what the predictions lose without the unit. */
  ablate: z.boolean().default(false),
});

const calibrate = z
  .strictObject({
    task: z.literal('calibrate'),
    ...probe,
    units: z.array(name).max(100_000).default([]),
    /** All heads and neurons of the model. */
    all: z.boolean().default(false),
  })
  .refine(({ units, all }) => all || units.length > 0, {
    message: 'are missing: name at least one, or ask for `all`',
    path: ['units'],
  });

const isOneBudget = (job: {
  readonly seconds?: number | undefined;
  readonly evaluations?: number | undefined;
}) => job.seconds === undefined || job.evaluations === undefined;
const oneBudget = {
  message: 'is given beside `seconds`: a budget is one of the two',
  path: ['evaluations'],
};

const search = z
  .strictObject({
    task: z.literal('text'),
    ...probe,
    unit: name,
    method: z.enum(searchMethodNames).default(textDefaults.method),
    /** Tokens after BOS. */
    length: length.default(textDefaults.length),
    /** The budget: one of the two. */
    seconds: above0.optional(),
    evaluations: within(textBounds.evaluations).optional(),
    /** Texts that the unit should be quieter on. */
    quietOn: z.array(text).default([]),
    gamma: z.number().min(0).optional(),
    lambda: above0.optional(),
    /** Files and folders of natural text to compare with. */
    naturalText: z.array(name).default([]),
    /** The model whose probability counts; null = the probed one. */
    prior: name.nullable().default(null),
    /** A tuned model to draw from. */
    policy: name.nullable().default(null),
    /** Samples of the prior at equal cost beside the search. */
    baseline: z.boolean().default(true),
    /** Texts of the frontier that are explained. */
    finalists: within(textBounds.finalists).default(textDefaults.finalists),
    neuronpedia,
  })
  .refine(isOneBudget, oneBudget)
  .transform((job) =>
    job.seconds === undefined && job.evaluations === undefined
      ? { ...job, seconds: textDefaults.seconds }
      : job,
  );

const atlas = z
  .strictObject({
    task: z.literal('atlas'),
    ...probe,
    /** Names of units, and patterns of names: `L*.H*`. */
    units: names,
    /** Tokens after BOS. */
    length: length.default(textDefaults.length),
    /** The budget; none of the two = until frontiers hardly grow. */
    seconds: above0.optional(),
    evaluations: within(textBounds.evaluations).optional(),
    /** Files and folders of natural text that is read too. */
    naturalText: z.array(name).default([]),
  })
  .refine(isOneBudget, oneBudget);

const corpus = z.strictObject({
  task: z.literal('corpus'),
  ...probe,
  unit: name,
  /** Text files, or folders of them. */
  files: names,
  /** Whole sentences instead of windows of equal length. */
  sentences: z.boolean().default(false),
  /** Tokens of a window, or of the longest sentence; null = as in a search, or 40 for sentences. */
  length: length.nullable().default(null),
  /** How many of the strongest texts are kept beside the frontier. */
  top: within(textBounds.top).default(textDefaults.top),
});

const tune = z.strictObject({
  task: z.literal('tune'),
  ...probe,
  unit: name,
  /** The language model that is tuned; null = the probed one. */
  prior: name.nullable().default(null),
  length: length.default(tuneDefaults.length),
  steps: within(tuneBounds.steps).default(tuneDefaults.steps),
  batch: within(tuneBounds.batch).default(tuneDefaults.batch),
  learningRate: above0.default(tuneDefaults.learningRate),
  /** Sigmas a nat, and the divergence that it is steered to, nats a text; see `priceOf`. */
  beta: above0.optional(),
  klTarget: above0.optional(),
  selectivity: z
    .number()
    .min(tuneBounds.selectivity.min)
    .max(tuneBounds.selectivity.max)
    .default(tuneDefaults.selectivity),
  algorithm: z.enum(tuneAlgorithms).default(tuneDefaults.algorithm),
  scaleRewards: z.boolean().default(false),
  kl: z.enum(klEstimatorNames).default(tuneDefaults.kl),
  rank: within(tuneBounds.rank).default(tuneDefaults.rank),
  /** Null = twice the rank. */
  alpha: above0.nullable().default(null),
  targets: names.default([...tuneDefaults.targets]),
  weightDecay: z.number().min(0).default(tuneDefaults.weightDecay),
  clipNorm: above0.default(tuneDefaults.clipNorm),
  checkpointEvery: within(tuneBounds.checkpointEvery).default(tuneDefaults.checkpointEvery),
});

const size = z
  .union([z.number(), z.string()])
  .refine((size) => readSize(size) !== null, { message: `must be ${sizeRule}` });

const image = z.strictObject({
  task: z.literal('image'),
  ...common,
  /** Null = the largest embedded network that sees. */
  model: name.nullable().default(null),
  units: names,
  steps: within(imageBounds.steps).default(imageDefaults.steps),
  /** Pixels of both sides, or `320x200`, the width first; null = about the network's own, in the proportions of a picture to start from. */
  size: size.nullable().default(null),
  /** `noise`, `black`, or a picture file. */
  start: name.default(imageDefaults.start),
  parameterization: z.enum(parameterizationNames).default(imageDefaults.parameterization),
  transforms: text.default(imageDefaults.transforms),
  /** Null = the one that suits the parameterization. */
  optimizer: z.enum(optimizerNames).nullable().default(null),
  rate: above0.nullable().default(null),
  octaves: within(imageBounds.octaves).default(imageDefaults.octaves),
  variants: within(imageBounds.variants).default(imageDefaults.variants),
  range: z.enum(rangeNames).nullable().default(null),
  /** What the planes of the network's pictures are; null = three are colours, one is grey, others are pictures each. */
  input: z.enum(inputKinds).nullable().default(null),
  /** Files to write, beside the run folder. */
  image: name.nullable().default(null),
  animation: name.nullable().default(null),
  /** A folder of pictures whose strongest lie beside the synthetic ones. */
  examples: name.nullable().default(null),
});

/** A schema a task. */
export const jobSchemas = { score, explain, text: search, image, tune, corpus, calibrate, atlas } as const;
export type TaskName = keyof typeof jobSchemas;

/** A job with every default filled in. */
export type JobOf<T extends TaskName> = z.output<(typeof jobSchemas)[T]>;
export type Job = JobOf<TaskName>;
/** A job as it is asked for: what is left out is what it is by default. */
export type JobRequest<T extends TaskName = TaskName> = { [K in T]: z.input<(typeof jobSchemas)[K]> }[T];
