/** @file Dictionaries by the names that Neuronpedia gives them: where their files are, and the model that they belong to. */
import { UsageError } from '../../core/errors.js';
import { nearestNames } from '../../core/nearest.js';
import { neuronpediaModels, neuronpediaSets, type SourceSet } from './neuronpedia-sets.js';

/** What the path of a dictionary begins with that is named by Neuronpedia's name. */
export const NEURONPEDIA = 'neuronpedia:';

/** The dictionary that a latent is of by Neuronpedia's name, `gemma-2-2b/20-gemmascope-res-16k`; null without one. */
export const neuronpediaSource = ({ path }: { readonly path: string }): string | null =>
  path.startsWith(NEURONPEDIA) ? path.slice(NEURONPEDIA.length) : null;

/** A dictionary that Neuronpedia has. */
export interface NeuronpediaSource {
  /** The model's name on the Hugging Face hub. */
  readonly model: string;
  /** The dictionary's path, as `sae:` takes it: a repository of the hub, and a path in it. */
  readonly path: string;
}

/**
 * @param source - `gemma-2-2b/20-gemmascope-res-16k`; a set whose paths have their L0 is also known as
 *   `gemma-2-2b/12-gemmascope-res-16k__l0-22`
 * @throws UsageError for one whose files are not known, which says what is known
 */
export function neuronpediaDictionary(source: string): NeuronpediaSource {
  const [, model = '', digits, fullName = ''] = /^([^/]+)\/(\d+)-(.+)$/.exec(source) ?? [];
  const [, name = '', ownL0] = /^(.+?)(?:__l0-(\d+))?$/.exec(fullName) ?? [];
  if (!Object.hasOwn(neuronpediaModels, model))
    throw unknown(source, 'models', model, Object.keys(neuronpediaModels));
  const ofModel = neuronpediaSets.filter((set) => set.model === model);
  const sets = ofModel.filter((set) => set.name === name && (ownL0 === undefined || set.l0));
  if (sets.length === 0) throw unknown(source, `sets of ${model}`, name, namesOf(ofModel));
  const layer = Number(digits);
  const found = sets.find(({ layers }) => ownL0 !== undefined || layers.includes(layer));
  if (found === undefined) {
    const layers = sets.flatMap(({ layers }) => layers).sort((a, b) => a - b);
    throw new UsageError(`${source} is not known: ${model}/…-${name} has the layers ${layers.join(', ')}`);
  }
  const { repo, path, layers, l0 } = found;
  const active = ownL0 ?? l0?.[layers.indexOf(layer)];
  const file = path.replace('{layer}', `${layer}`).replace('{l0}', `${active}`);
  return { model: neuronpediaModels[model]!, path: `${repo}/${file}` };
}

const namesOf = (sets: readonly SourceSet[]) => [...new Set(sets.map(({ name }) => name))];

function unknown(source: string, what: string, name: string, known: readonly string[]): UsageError {
  const first = nearestNames(name, known, 1);
  const ordered = [...first, ...known.filter((other) => !first.includes(other))];
  return new UsageError(
    `where the files of ${source} are is not known; known ${what} are ${ordered.join(', ')}; any other dictionary is sae:org/name/folder#0`,
  );
}
