/** @file What stands in a result file: where figures come from, and the claims they support. */
import { readFileSync } from 'node:fs';

/** Where figures come from. */
export interface Source {
  /** As it was typed, from the repository's root. */
  readonly command: string;
  /** The version that was measured; of figures older than this page, the one that recorded them. */
  readonly commit: string;
  readonly date: string;
  /** The machine, and what else it did. */
  readonly machine: string;
  readonly note?: string;
}

/** A figure by itself: its values are repetitions, units of a model or seeds. */
interface Value {
  readonly claim: string;
  readonly values: readonly number[];
  readonly unit?: string;
  readonly note?: string;
}

/** A figure beside another's. Raw pairs are preferred; `ratios` (ours over theirs) where only those were recorded. */
interface Comparison {
  readonly claim: string;
  /** With what it is compared. */
  readonly than: string;
  /** Whether a small or a large figure is the better one. */
  readonly better: 'less' | 'more';
  readonly ours?: readonly number[];
  readonly theirs?: readonly number[];
  readonly unit?: string;
  readonly ratios?: readonly number[];
  readonly note?: string;
}

export type Claim = Value | Comparison;

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
  const records = JSON.parse(readFileSync(path, 'utf8')) as (Source & { claims: Claim[] })[];
  return records.map(({ claims, ...source }) => {
    checkSource(path, source);
    for (const claim of claims) checkClaim(path, claim);
    return { sources: [source], claims };
  });
}

/** Reads where the recorded searches of a folder come from. @throws Error that names the file and what is wrong. */
export function readSource(path: string): Source {
  const source = JSON.parse(readFileSync(path, 'utf8')) as Source;
  checkSource(path, source);
  return source;
}

function checkSource(path: string, source: Source): void {
  for (const field of ['command', 'commit', 'date', 'machine'] as const)
    if (typeof source[field] !== 'string' || source[field] === '')
      throw new Error(`${path}: a result has no "${field}"`);
}

function checkClaim(path: string, claim: Claim): void {
  const list = valuesOf(claim);
  if (list.length === 0 || !list.every(Number.isFinite))
    throw new Error(`${path}: "${claim.claim}" needs "values", "ratios", or as many "ours" as "theirs"`);
}

/** The values of a claim: ratios, ours over theirs, where it compares. */
export function valuesOf(claim: Claim): readonly number[] {
  if (!('than' in claim)) return claim.values ?? [];
  const { ours = [], theirs = [] } = claim;
  return claim.ratios ?? ours.map((value, i) => value / (theirs[i] ?? Number.NaN));
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
