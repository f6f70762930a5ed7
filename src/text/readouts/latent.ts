/**
 * @file Latents of a dictionary (a sparse autoencoder, a transcoder). The measure is the pre-activation, which has a
 * gradient where the latent is silent; what is reported is the latent's true activation.
 */
import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { UsageError } from '../../core/errors.js';
import type { UnitForm } from '../../core/unit-form.js';
import { embeddedDictionary, embeddedFolder } from '../../hub/embedded.js';
import type { Dictionary } from '../dictionaries/dictionary.js';
import { dictionaryPath } from '../dictionaries/dictionary-path.js';
import { type LatentPlace, parseLatentPlace } from '../dictionaries/dictionary-places.js';
import { NEURONPEDIA, neuronpediaSource } from '../dictionaries/neuronpedia.js';
import { openDictionary } from '../dictionaries/open-dictionary.js';
import { parsePlace } from '../lm/places.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { Kind } from './kind.js';
import { LatentGroup, placeOf } from './latent-group.js';

export interface LatentUnit {
  readonly kind: 'latent';
  /**
   * The dictionary: its file of weights, or the folder; on this machine or, after `org/name/`, on the hub. Or
   * Neuronpedia's name of it: `neuronpedia:gemma-2-2b/20-gemmascope-res-16k`.
   */
  readonly path: string;
  /** What it reads, `blocks.L.…`; null where its files say it. */
  readonly place: string | null;
  readonly index: number;
}

const form: UnitForm<LatentUnit> = {
  example: 'sae:PATH#345 or a name of Neuronpedia (a latent of a dictionary)',
  parse: [
    [
      /^sae:(.+?)(?:@(blocks\.\d{1,9}\.[\w.]+))?#(\d{1,9})$/s,
      ([path, place, index]) => ({
        kind: 'latent',
        path: path!,
        place: place ?? null,
        index: Number(index),
      }),
    ],
    [
      /^(\w[\w.-]*\/\d{1,9}-[\w.-]+)\/(\d{1,9})$/,
      ([source, index]) => ({
        kind: 'latent',
        path: NEURONPEDIA + source!,
        place: null,
        index: Number(index),
      }),
    ],
  ],
  format: ({ path, place, index }) =>
    path.startsWith(NEURONPEDIA)
      ? `${path.slice(NEURONPEDIA.length)}/${index}`
      : `sae:${path}${place === null ? '' : `@${place}`}#${index}`,
};

export const latentKind: Kind<LatentUnit> = {
  form,
  range: () => 'latents sae:PATH#0',
  check: () => {},
  groups: () => [],
  open(unit, { spec }) {
    const dictionary = openDictionary(dictionaryPath(unit.path));
    const { size } = dictionary;
    if (unit.index >= size)
      throw new UsageError(
        `${form.format(unit)} is outside its dictionary: latents are numbered 0 to ${size - 1}`,
      );
    const place = placeIn(dictionary, unit, spec);
    const { mtimeMs, size: bytes } = statSync(dictionary.arrays.path);
    const identity = [
      realpathSync(dictionary.arrays.path),
      mtimeMs,
      bytes,
      place,
      dictionary.input,
      dictionary.activation,
    ];
    const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
    const { path } = unit;
    const nameOf = (index: number) => form.format({ ...unit, index });
    return new LatentGroup({ dictionary, place, path, nameOf, hash }, [unit.index]).unit(0);
  },
  others: (_, folder) =>
    dirname(folder) === embeddedFolder && embeddedDictionary(basename(folder)) !== null
      ? [`sae:${basename(folder)}#0`]
      : [],
  files: (unit) => (neuronpediaSource(unit) === null ? [unit.path] : []),
  numbered({ path, place, index }) {
    const digits = /^blocks\.(\d+)\./.exec(place ?? '') ?? /layers?[._]?(\d+)(?!\d)/.exec(path);
    return { layer: digits === null ? null : Number(digits[1]), index };
  },
};

/** What it reads of this model. Throws UsageError where that is not known, or not there, or has another width. */
function placeIn(dictionary: Dictionary, unit: LatentUnit, spec: TransformerSpec): LatentPlace {
  const { format, width, model } = dictionary;
  const text = unit.place ?? dictionary.place;
  const example = form.format({ ...unit, place: 'blocks.1.hook_resid_post' });
  if (text === null)
    throw new UsageError(
      `${unit.path} (${format}) does not say what it reads: name the place, as in ${example}`,
    );
  const place = parseLatentPlace(text);
  if (place === null)
    throw new UsageError(`${unit.path} reads "${text}", which is no known place: name it, as in ${example}`);
  const belongs = model === null ? '' : `; it says that it belongs to ${model}`;
  try {
    parsePlace(placeOf(place), spec);
  } catch {
    throw new UsageError(
      `${unit.path} reads "${text}", which this model of ${spec.layers} layers does not have${belongs}`,
    );
  }
  const own = widthAt(place, spec);
  if (own !== width)
    throw new UsageError(
      `${unit.path} reads ${width} numbers at a token, and "${text}" of this model has ${own}${belongs}: give the dictionary of this model`,
    );
  return place;
}

function widthAt({ name }: LatentPlace, spec: TransformerSpec): number {
  if (name === 'attn.hook_z') return spec.heads * spec.dHead;
  return name === 'mlp.hook_pre' || name === 'mlp.hook_post' ? spec.dMlp : spec.dModel;
}

/** Kinds that read dictionaries. */
export const dictionaryKinds = { latent: latentKind };
