/** @file The unit of a run as other programs number it: a model, a set of units of a layer, and a number in it. */
import { UsageError, UserError } from '../../core/errors.js';
import type { Explanation } from '../../core/explanation.js';
import { embeddedDictionary } from '../../hub/embedded.js';
import { parseLatentPlace } from '../../text/dictionaries/dictionary-places.js';
import { neuronpediaSource } from '../../text/dictionaries/neuronpedia.js';
import { openDictionary } from '../../text/dictionaries/open-dictionary.js';
import { kindOf, parseUnit, type TextUnit } from '../../text/readouts/kinds.js';
import { parseUnitSum } from '../../text/readouts/unit-sum.js';
import { type ReportedRun, unitLabel } from '../reported-run.js';

export interface FeaturedUnit {
  /** As superstimulus names it. */
  readonly label: string;
  /** `gemma-2-2b/20-gemmascope-res-16k`; null where neither the user nor the unit says it. */
  readonly source: string | null;
  readonly layer: number | null;
  readonly index: number;
  /** The texts of the run that were read token by token, strongest first. */
  readonly texts: readonly Explanation[];
}

/**
 * @param source - as the user names it, `model/layer-set`; what the unit says where it is undefined
 * @throws UserError for a run without texts, or about no single unit that has a number; UsageError for another source
 */
export function featuredUnit(run: ReportedRun, source: string | undefined): FeaturedUnit {
  const texts = [...run.view.explanations.values()].sort(strongestFirst);
  if (texts.length === 0)
    throw new UserError(`${run.path} has no texts with values token by token: search text for a unit first`);
  const unit = soleUnit(run);
  const named =
    source ?? (unit?.kind === 'latent' ? (neuronpediaSource(unit) ?? embeddedSource(unit.path)) : null);
  const layer = /^[^/]+\/(\d+)-.+$/.exec(named ?? '')?.[1];
  if (named !== null && layer === undefined)
    throw new UsageError(
      `"${named}" is no source: wanted is a model and a layer with the name of a set, gemma-2-2b/20-my-set`,
    );
  const numbered = unit && kindOf(unit).numbered?.(unit);
  if (!numbered)
    throw new UserError(`${unitLabel(run)} of ${run.path} is no single latent, head or neuron with a number`);
  const ofLayer = layer === undefined ? numbered.layer : Number(layer);
  return { label: unitLabel(run), source: named, layer: ofLayer, index: numbered.index, texts };
}

/** Each unit once, with the texts of all its runs. */
export function eachOnce(units: readonly FeaturedUnit[]): FeaturedUnit[] {
  const found = new Map<string, FeaturedUnit>();
  for (const unit of units) {
    const key = JSON.stringify([unit.source, unit.layer, unit.index]);
    const texts = [...(found.get(key)?.texts ?? []), ...unit.texts].sort(strongestFirst);
    found.set(key, { ...unit, texts });
  }
  return [...found.values()];
}

/** `books-lm/2-sae` of the dictionary that comes with a model; null for others. */
function embeddedSource(path: string): string | null {
  const folder = embeddedDictionary(path);
  const place = folder && openDictionary(folder).place;
  const layer = place ? parseLatentPlace(place)?.layer : undefined;
  return layer === undefined ? null : `${path}/${layer}-sae`;
}

const strongestFirst = (a: Explanation, b: Explanation) => b.peak.raw - a.peak.raw;

function soleUnit(run: ReportedRun): TextUnit | null {
  try {
    const terms = parseUnitSum(unitLabel(run), parseUnit);
    return terms.length === 1 && terms[0]!.weight === 1 ? terms[0]!.unit : null;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
