/** @file What a family of transformers is, and how it reads a Hugging Face config.json. */

import { z } from 'zod';
import { UserError } from '../../../core/errors.js';
import { clipped } from '../../../core/visible.js';
import type { WeightSource } from '../../../engine/weights/weights.js';
import type { TransformerSpec } from '../spec.js';
import type { commonKeys } from './keys.js';

export interface Family {
  /**
   * The architecture that a config.json describes.
   *
   * @param where - the file, as complaints call it
   * @throws UserError for what is missing, of the wrong kind, over a limit, or not supported
   */
  read(json: object, where: string): TransformerSpec;
  /** Ways to quantize weights (`quant_method`) that it reads. */
  readonly quantized?: readonly string[];
  /** Changes the values of a vector as they are read from the file, in place; matrices may be used as they are stored. */
  readonly fold?: (name: string, values: Float32Array) => void;
  /**
   * A file's weights with those that the network has and the file holds in another form, computed as they are read.
   *
   * @param nameIn - how the file spells a name of the network
   */
  readonly present?: (source: WeightSource, nameIn: (name: string) => string) => WeightSource;
}

/** What to throw where a config.json asks for what is not supported. */
export type Unsupported = (what: string) => UserError;

/** A family whose config.json has the keys of `schema`; null counts as absent. */
export function family<Shape extends z.ZodRawShape>(
  schema: Shape,
  spec: (config: z.output<z.ZodObject<Shape>>, unsupported: Unsupported) => TransformerSpec,
): Family {
  const object = z.object(schema);
  return {
    read: (json, where) =>
      spec(readBy(object, json, where), (what) => new UserError(`${where} asks for ${what}`)),
  };
}

/** A family whose config.json may have other names of keys too. @param names - from the other to the schema's */
export function withOtherKeys(family: Family, names: Readonly<Record<string, string>>): Family {
  const own = new Map(Object.entries(names));
  return {
    ...family,
    read(json, where) {
      const others = Object.entries(json).filter(([key, value]) => own.has(key) && value !== null);
      return family.read(
        { ...json, ...Object.fromEntries(others.map(([key, x]) => [own.get(key), x])) },
        where,
      );
    },
  };
}

/** A family whose config.json may leave out keys, which then have values that null would not have. */
export const withDefaults = (family: Family, values: Readonly<Record<string, unknown>>): Family => ({
  ...family,
  read: (json, where) => family.read({ ...values, ...json }, where),
});

/** What a schema makes of a JSON object. Throws UserError that names the first key at fault. */
export function readBy<T>(schema: z.ZodType<T>, json: object, where: string): T {
  const known = withoutNulls(json);
  const result = schema.safeParse(known);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const name = clipped(path.map(String).join('.'));
  let value: unknown = known;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  throw new UserError(
    value === undefined
      ? `${where} has no "${name}"`
      : `${where} has ${shortened(value)} as "${name}", which must be ${message}`,
  );
}

const shortened = (value: unknown): string => clipped(JSON.stringify(value) ?? String(value));

/** Without the keys whose value is null, at both levels that are read. */
function withoutNulls(json: object, depth = 2): object {
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [
        key,
        depth > 0 && typeof value === 'object' && !Array.isArray(value)
          ? withoutNulls(value as object, depth - 1)
          : value,
      ]),
  );
}

/** Throws UserError when heads do not divide the width. */
function headSize(dModel: number, heads: number, unsupported: Unsupported): number {
  if (dModel % heads === 0) return dModel / heads;
  throw unsupported(`${heads} heads in a width of ${dModel}, which does not divide evenly`);
}

/** What is a family's own. */
type OwnParts = 'modules' | 'dMlp' | 'context' | 'norm' | 'positions' | 'biases' | 'activation';

/**
 * What follows from the common keys and the size, and what most families have nothing of. Every layer sees everything.
 *
 * @param size.dHead - default: an even share of the width
 */
export function basicSpec(
  config: z.output<z.ZodObject<typeof commonKeys>>,
  size: Pick<TransformerSpec, 'layers' | 'dModel' | 'heads'> & { readonly dHead?: number | undefined },
  unsupported: Unsupported,
): Omit<TransformerSpec, OwnParts> {
  const { layers, dModel, heads } = size;
  const dHead = size.dHead ?? headSize(dModel, heads, unsupported);
  return {
    family: config.model_type,
    layers,
    dModel,
    heads,
    kvHeads: heads,
    dHead,
    vocab: config.vocab_size,
    embeddingScale: 1,
    attentionScale: 1 / Math.sqrt(dHead),
    scaledByDepth: false,
    attentionCap: null,
    windows: new Array(layers).fill(null),
    qkNorm: 'head',
    experts: null,
    parallelResidual: false,
    sumOntoNormed: false,
    residualScale: 1,
    logits: { scale: 1, cap: null },
    tiedEmbeddings: config.tie_word_embeddings,
    bos: config.bos_token_id[0] ?? null,
    eos: config.eos_token_id,
  };
}
