/** @file Runs in the formats of other programs, as files. */
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { makeFolder, writeFileByRename } from '../../runs/files.js';
import type { AtlasUnit } from '../../text/atlas/atlas-unit.js';
import { commonFolder, openRun } from '../reported-run.js';
import { atlasFiles, readUnits } from '../site/read-atlas.js';
import { circuitTracerFeature } from './circuit-tracer-feature.js';
import { eachOnce, featuredUnit } from './featured-unit.js';
import { headvisTree } from './headvis.js';
import { neuronpediaBatch } from './neuronpedia-batch.js';
import type { OutletName } from './outlet-names.js';

export interface OutletOptions {
  /** `model/layer-set`; what the units say where it is left out. */
  readonly source?: string | undefined;
  /** The file for Neuronpedia, the folder for the others; in the run folder, or beside several. */
  readonly out?: string | undefined;
}

/**
 * Writes one file for Neuronpedia, one per unit for circuit-tracer, or the tree of files of an atlas's heads for HeadVis.
 *
 * @returns the files' paths
 * @throws UserError for runs that these programs have no place for, UsageError where `source` is needed
 */
export function writeOutlet(
  format: OutletName,
  paths: readonly string[],
  { source, out }: OutletOptions,
): string[] {
  if (format === 'headvis') return headvis(paths, out);
  const runs = paths.map(openRun);
  const folder = runs.length === 1 ? runs[0]!.path : commonFolder(runs.map(({ path }) => path));
  const units = eachOnce(runs.map((run) => featuredUnit(run, source)));
  if (format === 'neuronpedia')
    return [write(resolve(out ?? join(folder, 'neuronpedia.json')), neuronpediaBatch(units))];
  return units
    .map(circuitTracerFeature)
    .map(({ name, feature }) => write(resolve(out ?? join(folder, 'circuit-tracer'), name), feature));
}

/** Throws UsageError for several runs, UserError where there is no atlas. */
function headvis(paths: readonly string[], out: string | undefined): string[] {
  const [path] = paths;
  if (path === undefined || paths.length > 1)
    throw new UsageError(`headvis shows one atlas, and there are ${paths.length} runs: give one run folder`);
  const run = openRun(path);
  const folder = resolve(out ?? join(run.path, 'headvis'));
  const model = run.description?.model?.name ?? 'a model';
  return [...headvisTree(unitsOf(run.path), model)].map(({ name, value }) =>
    write(join(folder, 'data', name), value),
  );
}

/** Some units at a time are in memory. */
function* unitsOf(run: string): Generator<AtlasUnit> {
  for (const name of atlasFiles(run)) yield* readUnits(run, name).units;
}

function write(file: string, value: unknown): string {
  makeFolder(dirname(file));
  writeFileByRename(file, `${JSON.stringify(value)}\n`);
  return file;
}
