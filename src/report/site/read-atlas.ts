/** @file Reads the units of an atlas from its run folder, a file of them at a time. Folders come from anywhere. */
import { existsSync, readdirSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { readRegularFile } from '../../core/regular-file.js';
import { explanation } from '../../runs/event-schemas.js';
import { runFile } from '../../runs/run-file.js';
import type { AtlasUnit } from '../../text/atlas/atlas-unit.js';

/** Bytes of a file of units. */
const MOST_BYTES = 256 * 1024 ** 2;

const figure = z.number().catch(Number.NaN);
const orNull = z.number().nullable().catch(null);
const found = {
  text: z.string(),
  tokens: z.array(z.string()),
  cross_entropy: z.number(),
  z: z.number(),
  margin: orNull,
  rank: orNull,
  source: z.string(),
};
const tokenValue = z.object({ token: z.string(), value: figure });
const atlasUnit: z.ZodType<AtlasUnit> = z.object({
  unit: z.string().min(1).max(10_000),
  layer: orNull,
  index: z.number(),
  hypervolume: figure,
  mean: figure,
  standard_deviation: figure,
  frontier: z.array(z.object(found)),
  explanations: z.array(explanation),
  clusters: z.array(
    z.object({
      tokens: z.array(tokenValue),
      texts: z.array(z.object({ text: z.string(), cross_entropy: figure, z: figure })),
    }),
  ),
  examples: z.array(z.object({ ...found, z_by_token: z.array(figure) })),
  head: z
    .object({
      self: figure,
      previous: figure,
      start: figure,
      induction: figure,
      entropy: figure,
      most_entropy: figure,
      distance: z.array(figure),
    })
    .nullable()
    .catch(null),
});

/** Whether a run folder has an atlas. */
export const hasAtlas = (run: string): boolean => existsSync(runFile(run, 'atlas'));

/** Names of the files of units, in order. Throws UserError where there are none. */
export function atlasFiles(run: string): string[] {
  if (!hasAtlas(run))
    throw new UserError(`${run} has no units of an atlas: it is another run, or has not come so far`);
  const folder = runFile(run, 'atlas');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw fileError(error, `read ${folder}`);
  }
  const files = names.filter((name) => /^\d{6}\.jsonl$/.test(name)).sort();
  if (files.length > 0) return files;
  throw new UserError(`${run} has no units of an atlas yet: let the run come to its end, or resume it`);
}

/** The units of one file; lines that are damaged are left out. */
export function readUnits(run: string, name: string): { units: AtlasUnit[]; damaged: number } {
  const lines = readRegularFile(runFile(run, `atlas/${name}`), MOST_BYTES)
    .toString('utf8')
    .trim()
    .split('\n');
  const units = lines.flatMap((line) => parsed(line) ?? []);
  return { units, damaged: lines.length - units.length };
}

function parsed(line: string): AtlasUnit | null {
  try {
    return atlasUnit.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
