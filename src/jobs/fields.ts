/**
 * @file Fields that jobs have in common. A job is plain data: what is to be computed, by task. The same object is made of
 * flags, read from a file or a queue, and kept as `run.json`; its task's schema is its only reader. Defaults are those of
 * the command line.
 */
import { z } from 'zod';
import { seedBounds } from '../core/random.js';
import { deviceChoices, engineNames } from '../engine/engine-names.js';
import { bosPolicies, chatRoles, sequenceScores, textBounds, textDefaults } from '../text/names.js';
import { isMeasure, measureRule } from '../text/readouts/head-measures.js';

/** Version of a job's fields. It is raised when a field changes its meaning; older ones are brought up to it (`old-jobs.ts`). */
export const JOB_VERSION = 1;

export const text = z.string().max(100_000);
export const name = z.string().min(1).max(10_000);
/** Characters of a reference class: 2,048 names of latents in a file whose path is long. */
const LONGEST_CLASS = 2 ** 18;
const referenceClass = z
  .string()
  .min(1)
  .max(LONGEST_CLASS, {
    error: ({ input }) =>
      `has ${(input as string).length} characters, at most ${LONGEST_CLASS} are read: give fewer names, or a class such as layer or random:64`,
  });
export const names = z.array(name).min(1).max(100_000);
export const above0 = z.number().gt(0);
/** A whole number. */
export const within = ({ min, max }: { readonly min: number; readonly max: number }) =>
  z.int().min(min).max(max);

/** What every job says. */
export const common = {
  version: z.literal(JOB_VERSION).default(JOB_VERSION),
  engine: z.enum(engineNames).default('onnx'),
  /** Where the engine `onnx` computes. */
  device: z.enum(deviceChoices).default('cpu'),
  seed: within(seedBounds).default(0),
};

/** What every job about a language model says. */
export const probe = {
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
  reference: referenceClass.default(textDefaults.reference),
  /** A text file to calibrate on; null = samples of the model. */
  calibrationText: name.nullable().default(null),
  /** Positions to calibrate on, about; null = as many as half a minute allows, 16,384 at most. */
  calibrationTokens: within(textBounds.calibrationTokens).nullable().default(null),
};

/** What is asked of a language model before any text or unit. */
export const probeSchema = z.strictObject(probe);
export type ProbeJob = z.output<typeof probeSchema>;

/** Tokens of a text, after BOS. */
export const textLength = within(textBounds.length);
/** The address of Neuronpedia's API, for units that have a name there; null = asked where `NEURONPEDIA_API_KEY` is set. */
export const neuronpedia = name.nullable().default(null);

/** For jobs with `seconds` and `evaluations`. */
export const isOneBudget = (job: {
  readonly seconds?: number | undefined;
  readonly evaluations?: number | undefined;
}) => job.seconds === undefined || job.evaluations === undefined;
export const oneBudget = {
  message: 'is given beside `seconds`: a budget is one of the two',
  path: ['evaluations'],
};
