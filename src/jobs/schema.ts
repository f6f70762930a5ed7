/**
 * @file A job is plain data: what is to be computed, by task. The same object is made of flags, read from a file or a
 * queue, and kept as `run.json`; these schemas are its only readers. Defaults are those of the command line.
 */
import { z } from 'zod';
import { engineNames } from '../engine/engine-names.js';
import { klEstimatorNames, tuneAlgorithms, tuneDefaults } from '../rl/tune-defaults.js';
import {
  DEFAULT_MODEL,
  DEFAULT_SECONDS,
  headMeasures,
  searchMethodNames,
  sequenceScores,
} from '../text/names.js';
import { optimizerNames, parameterizationNames, rangeNames } from '../vision/names.js';

/** Version of a job's fields. It is raised when a field changes its meaning; older ones are brought up to it (`old-jobs.ts`). */
export const JOB_VERSION = 1;

const text = z.string().max(100_000);
const name = z.string().min(1).max(10_000);
const names = z.array(name).min(1).max(100_000);
const count = z.int().min(1).max(1e9);
const above0 = z.number().gt(0);

const common = {
  version: z.literal(JOB_VERSION).default(JOB_VERSION),
  engine: z.enum(engineNames).default('onnx'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
};

/** What every job about a language model says. */
const probe = {
  ...common,
  /** An embedded model's name, a folder, or a hub id. */
  model: name.default(DEFAULT_MODEL),
  /** The family of architectures that the model is read as; null = the one that it names. */
  family: name.nullable().default(null),
  /** Measure of a head; `logits:TOKEN` is signed, toward one token. */
  measure: z
    .string()
    .max(1000)
    .refine((measure) => headMeasures.some((known) => known === measure) || /^logits:./s.test(measure), {
      message: `must be ${headMeasures.join(', ')} or logits:TOKEN`,
    })
    .default('delta'),
  at: z.enum(sequenceScores).default('max'),
  /** The reference class. */
  reference: name.default('layer'),
  /** A text file to calibrate on; null = samples of the model. */
  calibrationText: name.nullable().default(null),
  /** Positions to calibrate on, about; null = as many as half a minute allows, 16,384 at most. */
  calibrationTokens: z.int().min(512).max(1e8).nullable().default(null),
};

/** What is asked of a language model before any text or unit. */
export const probeSchema = z.strictObject(probe);

const length = count.max(100_000);

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
  replacements: z.int().min(0).max(8).default(4),
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

const search = z
  .strictObject({
    task: z.literal('text'),
    ...probe,
    unit: name,
    method: z.enum(searchMethodNames).default('auto'),
    /** Tokens after BOS. */
    length: length.default(12),
    /** The budget: one of the two. */
    seconds: above0.optional(),
    evaluations: count.optional(),
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
    finalists: z.int().min(0).max(1000).default(8),
  })
  .refine(({ seconds, evaluations }) => seconds === undefined || evaluations === undefined, {
    message: 'is given beside `seconds`: a budget is one of the two',
    path: ['evaluations'],
  })
  .transform((job) =>
    job.seconds === undefined && job.evaluations === undefined ? { ...job, seconds: DEFAULT_SECONDS } : job,
  );

const corpus = z.strictObject({
  task: z.literal('corpus'),
  ...probe,
  unit: name,
  /** Text files, or folders of them. */
  files: names,
  /** Whole sentences instead of windows of equal length. */
  sentences: z.boolean().default(false),
  /** Tokens of a window, or of the longest sentence; null = 12, or 40 for sentences. */
  length: length.nullable().default(null),
  /** How many of the strongest texts are kept beside the frontier. */
  top: count.max(10_000).default(10),
});

const tune = z.strictObject({
  task: z.literal('tune'),
  ...probe,
  unit: name,
  /** The language model that is tuned; null = the probed one. */
  prior: name.nullable().default(null),
  length: length.default(tuneDefaults.length),
  steps: count.default(tuneDefaults.steps),
  batch: z.int().min(2).max(65_536).default(tuneDefaults.batch),
  learningRate: above0.default(tuneDefaults.learningRate),
  /** Sigmas a nat, and the divergence that it is steered to, nats a text; see `priceOf`. */
  beta: above0.optional(),
  klTarget: above0.optional(),
  selectivity: z.number().min(0).max(1).default(0),
  algorithm: z.enum(tuneAlgorithms).default('rloo'),
  scaleRewards: z.boolean().default(false),
  kl: z.enum(klEstimatorNames).default('k1'),
  rank: z.int().min(1).max(4096).default(tuneDefaults.rank),
  /** Null = twice the rank. */
  alpha: above0.nullable().default(null),
  targets: names.default([...tuneDefaults.targets]),
  weightDecay: z.number().min(0).default(tuneDefaults.weightDecay),
  clipNorm: above0.default(tuneDefaults.clipNorm),
  checkpointEvery: count.default(tuneDefaults.checkpointEvery),
});

const image = z.strictObject({
  task: z.literal('image'),
  ...common,
  /** Null = the largest embedded network that sees. */
  model: name.nullable().default(null),
  units: names,
  steps: count.max(100_000).default(256),
  /** Pixels; null = the network's own, at least 128. */
  size: z.int().min(16).max(2048).nullable().default(null),
  /** `noise`, `black`, or a picture file. */
  start: name.default('noise'),
  parameterization: z.enum(parameterizationNames).default('fft'),
  transforms: text.default('standard'),
  /** Null = the one that suits the parameterization. */
  optimizer: z.enum(optimizerNames).nullable().default(null),
  rate: above0.nullable().default(null),
  octaves: z.int().min(1).max(10).default(1),
  variants: z.int().min(1).max(64).default(1),
  range: z.enum(rangeNames).nullable().default(null),
  /** Files to write, beside the run folder. */
  image: name.nullable().default(null),
  animation: name.nullable().default(null),
  /** A folder of pictures whose strongest lie beside the synthetic ones. */
  examples: name.nullable().default(null),
});

/** A schema a task. */
export const jobSchemas = { score, explain, text: search, image, tune, corpus, calibrate } as const;
export type TaskName = keyof typeof jobSchemas;

/** A job with every default filled in. */
export type JobOf<T extends TaskName> = z.output<(typeof jobSchemas)[T]>;
export type Job = JobOf<TaskName>;
/** A job as it is asked for: what is left out is what it is by default. */
export type JobRequest<T extends TaskName = TaskName> = { [K in T]: z.input<(typeof jobSchemas)[K]> }[T];
