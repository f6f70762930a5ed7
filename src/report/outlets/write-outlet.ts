/** @file Runs in the formats of other programs, as files. */
import { dirname, join, resolve } from 'node:path';
import { makeFolder, writeFileByRename } from '../../runs/files.js';
import { commonFolder, openRun } from '../reported-run.js';
import { circuitTracerFeature } from './circuit-tracer-feature.js';
import { eachOnce, featuredUnit } from './featured-unit.js';
import { neuronpediaBatch } from './neuronpedia-batch.js';
import type { OutletName } from './outlet-names.js';

export interface OutletOptions {
  /** `model/layer-set`; what the units say where it is left out. */
  readonly source?: string | undefined;
  /** The file for Neuronpedia, the folder for circuit-tracer; in the run folder, or beside several. */
  readonly out?: string | undefined;
}

/**
 * Writes one file for Neuronpedia, or one a unit for circuit-tracer.
 *
 * @returns the files' paths
 * @throws UserError for runs that these programs have no place for, UsageError where `source` is needed
 */
export function writeOutlet(
  format: OutletName,
  paths: readonly string[],
  { source, out }: OutletOptions,
): string[] {
  const runs = paths.map(openRun);
  const folder = runs.length === 1 ? runs[0]!.path : commonFolder(runs.map(({ path }) => path));
  const units = eachOnce(runs.map((run) => featuredUnit(run, source)));
  if (format === 'neuronpedia')
    return [write(resolve(out ?? join(folder, 'neuronpedia.json')), neuronpediaBatch(units))];
  return units
    .map(circuitTracerFeature)
    .map(({ name, feature }) => write(resolve(out ?? join(folder, 'circuit-tracer'), name), feature));
}

function write(file: string, value: object): string {
  makeFolder(dirname(file));
  writeFileByRename(file, `${JSON.stringify(value)}\n`);
  return file;
}
