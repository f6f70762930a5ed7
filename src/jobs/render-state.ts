/** @file What a render keeps in its run folder to be resumed from: `checkpoint.safetensors`, replaced by rename. */
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readCheckpoint, writeCheckpoint } from '../engine/training/checkpoint.js';
import { runFile } from '../runs/run-file.js';
import type { RunFolder } from '../runs/run-folder.js';
import type { RenderState } from '../vision/render/render-options.js';

const FILE = 'checkpoint.safetensors';

const numbers = z.array(z.number());
const position = z.object({
  done: z.int().min(0),
  /** Frames written so far. */
  frames: z.int().min(0),
  clock: z.number().min(0),
  results: z.array(
    z.object({
      unit: z.string(),
      dead: z.boolean(),
      activation: z.object({ start: z.number(), final: z.number(), curve: numbers }),
      picture: z.object({ width: z.int(), height: z.int(), channels: z.int() }),
    }),
  ),
  batch: z.object({
    octave: z.int().min(0),
    step: z.int().min(0),
    steps: z.int().min(0),
    curve: z.array(numbers),
    moved: z.array(z.boolean()),
    start: numbers,
    random: numbers.length(4),
  }),
});

/** A render's state, and what its files add: frames written, seconds on the run's clock. */
export interface KeptRender {
  readonly state: RenderState;
  readonly frames: number;
  readonly clock: number;
}

export function writeRenderState(folder: RunFolder, { state, frames, clock }: KeptRender): void {
  const { ascent, ...batch } = state.batch;
  const arrays = new Map<string, { shape: number[]; data: Float32Array }>();
  const keep = (name: string, data: Float32Array) => arrays.set(name, { shape: [data.length], data });
  for (const [name, data] of Object.entries(ascent.arrays)) keep(`ascent.${name}`, data);
  for (const [i, { picture }] of state.results.entries()) keep(`result.${i}`, picture.data);
  const results = state.results.map(({ picture: { data: _, ...size }, ...result }) => ({
    ...result,
    picture: size,
  }));
  const kept: z.input<typeof position> = {
    done: state.done,
    frames,
    clock,
    results: JSON.parse(JSON.stringify(results)),
    batch: JSON.parse(JSON.stringify({ ...batch, steps: ascent.steps })),
  };
  writeCheckpoint(runFile(folder.path, FILE), { state: arrays, position: kept });
}

/**
 * The last state of a render; undefined when it was stopped before its first.
 *
 * @throws UserError when the file is damaged
 */
export function readRenderState(path: string): KeptRender | undefined {
  const checkpoint = readCheckpoint<unknown>(runFile(path, FILE));
  if (!checkpoint) return undefined;
  const read = position.safeParse(checkpoint.position);
  const array = (name: string) => checkpoint.state.get(name)?.data as Float32Array | undefined;
  if (!read.success || !array('ascent.parameter'))
    throw new UserError(`${runFile(path, FILE)} is damaged: remove it to begin the render anew`);
  const { done, frames, clock, results, batch } = read.data;
  const { steps, ...rest } = batch;
  const arrays: Record<string, Float32Array> = {};
  for (const [name, { data }] of checkpoint.state)
    if (name.startsWith('ascent.')) arrays[name.slice('ascent.'.length)] = data as Float32Array;
  return {
    frames,
    clock,
    state: {
      done,
      batch: { ...rest, ascent: { steps, arrays } },
      results: results.map((result, i) => ({
        ...result,
        picture: { ...result.picture, data: array(`result.${i}`) ?? new Float32Array(0) },
      })),
    },
  };
}
