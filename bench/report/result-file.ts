/** @file What stands in a result file: where figures come from, and the claims they support. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const words = z.string().min(1);
const numbers = z.array(z.number()).min(1);

/** Where figures come from. */
const source = z.strictObject({
  /** As it was typed, from the repository's root. */
  command: words,
  /** The version that was measured; of figures before 2026-11-30, perhaps the one that recorded them. */
  commit: z.string().regex(/^[0-9a-f]{7,40}$/),
  date: z.iso.date(),
  /** The machine, and what else it did. */
  machine: words,
  note: words.optional(),
});
export type Source = z.infer<typeof source>;

/** A figure by itself: its values are repetitions, units of a model or seeds. */
const value = z.strictObject({
  claim: words,
  values: numbers,
  unit: words.optional(),
  note: words.optional(),
});

const compared = {
  claim: words,
  /** With what it is compared. */
  than: words,
  /** Whether a small or a large figure is the better one. */
  better: z.enum(['less', 'more']),
  note: words.optional(),
};
/** A figure beside another's, pair by pair. */
const pairs = z
  .strictObject({ ...compared, ours: numbers, theirs: numbers, unit: words })
  .refine(({ ours, theirs }) => ours.length === theirs.length, 'as many "ours" as "theirs"');
/** The same where only ratios, ours over theirs, were recorded. */
const ratios = z.strictObject({ ...compared, ratios: numbers });

const claim = z.union(
  [value, pairs, ratios],
  'a claim has "claim" and "values", or "claim", "than", "better" and either "ratios" or "ours", "theirs" and "unit"',
);
export type Claim = z.infer<typeof claim>;

const results = z.array(z.strictObject({ ...source.shape, claims: z.array(claim).min(1) }));

/** Claims that one command, or the same command with several seeds, supports. */
export interface Measurement {
  readonly sources: readonly Source[];
  readonly claims: readonly Claim[];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Reads a result file: a list of sources, each with its claims. @throws Error that names the file and what is wrong. */
export function readResultFile(path: string): Measurement[] {
  return read(path, results).map(({ claims, ...from }) => ({ sources: [from], claims }));
}

/** Reads where the recorded searches of a folder come from. @throws Error that names the file and what is wrong. */
export const readSource = (path: string): Source => read(path, source);

function read<T>(path: string, schema: z.ZodType<T>): T {
  const { data, error } = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (error) throw new Error(`${path}: ${z.prettifyError(error)}`);
  return data as T;
}

/** The values of a claim: ratios, ours over theirs, where it compares. */
export function valuesOf(claim: Claim): readonly number[] {
  if ('values' in claim) return claim.values;
  return 'ratios' in claim ? claim.ratios : claim.ours.map((one, i) => one / claim.theirs[i]!);
}

/** The median of a claim's values, and the least and the greatest of them. */
export function figureOf(claim: Claim): { median: number; least: number; most: number } {
  const values = valuesOf(claim);
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Whether a comparison comes out against us. */
export function isLost(claim: Claim): boolean {
  if (!('than' in claim)) return false;
  return claim.better === 'less' ? figureOf(claim).median > 1 : figureOf(claim).median < 1;
}
