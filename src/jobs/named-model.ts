/** @file The model that a job's units say they belong to: names of Neuronpedia have it in them. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import { embeddedModels } from '../hub/embedded.js';
import { neuronpediaDictionary, neuronpediaSource } from '../text/dictionaries/neuronpedia.js';
import { formatUnit } from '../text/readouts/kinds.js';
import { namedLatents } from '../text/readouts/named-dictionaries.js';

/**
 * A job whose model is the one that its units belong to, where it names none.
 *
 * @param request - a job's data, which need not be right
 * @throws UsageError when two of its names contradict each other, or a name of Neuronpedia is not known
 */
export function withNamedModel(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { model, unit, units, reference } = request;
  const names = [unit, units].flat().filter((name) => typeof name === 'string');
  const named = namedLatents(names, typeof reference === 'string' ? reference : '').flatMap((latent) => {
    const source = neuronpediaSource(latent);
    return source === null
      ? []
      : [{ latent: formatUnit(latent), model: neuronpediaDictionary(source).model }];
  });
  const [first] = named;
  if (first === undefined) return { ...request };
  const other = named.find(({ model }) => model !== first.model);
  if (other !== undefined)
    throw new UsageError(
      `${first.latent} is of ${first.model} and ${other.latent} of ${other.model}: units must be of one model`,
    );
  if (typeof model === 'string' && !mayBe(model, first.model))
    throw new UsageError(
      `${first.latent} is of ${first.model}, not of ${model}: leave ${field('model')} out, or give a folder with that model`,
    );
  return { ...request, model: model ?? first.model };
}

/** Whether a name may mean that repository: itself, one of the same name by others, or any folder. */
const mayBe = (name: string, repo: string): boolean =>
  basename(name.replace(/@.*/, '')).toLowerCase() === basename(repo).toLowerCase() ||
  (existsSync(name) && !embeddedModels().includes(name));
