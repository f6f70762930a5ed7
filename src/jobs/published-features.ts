/** @file What Neuronpedia publishes of the units that a job names. */
import { UsageError, UserError } from '../core/errors.js';
import { field } from '../core/field.js';
import {
  fetchPublishedFeature,
  neuronpediaAccess,
  type PublishedFeature,
} from '../hub/neuronpedia-feature.js';
import { eventClock, type Run } from '../runs/events.js';
import { neuronpediaSource } from '../text/dictionaries/neuronpedia.js';
import { formatUnit } from '../text/readouts/kinds.js';
import { namedLatents } from '../text/readouts/named-dictionaries.js';

/**
 * Asks for every unit that has a name there, by that name. Where only a key is configured, what cannot be had is a
 * warning.
 *
 * @param address - of the API, where the user gave one
 * @throws UsageError for an address where no unit has a name, UserError for what cannot be had from it
 */
export async function* publishedFeatures(
  objectives: readonly string[],
  address: string | null,
  signal: AbortSignal,
): Run<ReadonlyMap<string, PublishedFeature>> {
  const found = new Map<string, PublishedFeature>();
  const access = neuronpediaAccess(address);
  if (access === null) return found;
  const latents = namedLatents(objectives, '').filter((latent) => neuronpediaSource(latent) !== null);
  if (address !== null && latents.length === 0)
    throw new UsageError(
      `${field('neuronpedia')} is for units that have a name there, such as gpt2-small/6-res-jb/650: none of these has`,
    );
  const event = eventClock();
  for (const name of new Set(latents.map(formatUnit))) {
    try {
      found.set(name, await fetchPublishedFeature(name, { ...access, signal }));
    } catch (error) {
      if (address !== null || !(error instanceof UserError)) throw error;
      yield event({ kind: 'warning', message: error.message });
    }
  }
  return found;
}
