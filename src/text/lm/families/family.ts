/** @file What a family of transformers is, and how it reads a Hugging Face config.json. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.js';
import type { WeightSource } from '../../../engine/weights/weights.js';
import type { Activation, TransformerSpec } from '../spec.js';

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

/** A family whose config.json has the keys of `schema`; null counts as absent. */
export function family<Shape extends z.ZodRawShape>(
  schema: Shape,
  spec: (config: z.output<z.ZodObject<Shape>>, unsupported: (what: string) => UserError) => TransformerSpec,
  fold?: Family['fold'],
): Family {
  const object = z.object(schema);
  return {
    read: (json, where) =>
      spec(readBy(object, json, where), (what) => new UserError(`${where} asks for ${what}`)),
    ...(fold && { fold }),
  };
}

/** A family whose config.json may have other names of keys too. @param names - from the other to the schema's */
export function renamed(family: Family, names: Readonly<Record<string, string>>): Family {
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

/** What a schema makes of a JSON object. Throws UserError that names the first key at fault. */
export function readBy<T>(schema: z.ZodType<T>, json: object, where: string): T {
  const known = withoutNulls(json);
  const result = schema.safeParse(known);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const name = path.map(String).join('.');
  let value: unknown = known;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  throw new UserError(
    value === undefined
      ? `${where} has no "${name}"`
      : `${where} has ${shortened(value)} as "${name}", which must be ${message}`,
  );
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

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

// What keys hold. The largest numbers are a few times those of the largest networks there are.

const count = (most: number) => {
  const wanted = `a whole number from 1 to ${most}`;
  return z.int(wanted).min(1, wanted).max(most, wanted);
};
export const layerCount = count(1024);
export const headCount = count(4096);
export const width = count(2 ** 20);
export const vocabulary = count(2 ** 24);
export const length = count(2 ** 30);
export const number = z.number('a number');
export const positive = z.number('a number above 0').gt(0, 'a number above 0');
export const flag = z.boolean('true or false');
export const text = z.string('a string');
/** Kinds of attention by layer. */
export const layerTypes = z.array(text, 'a list of strings').max(1024, 'a list of at most 1024 strings');

const tokenId = z.int('a token id').min(0, 'a token id');
/** One number, a list, or none. */
const tokenIds = z
  .union([tokenId.transform((id) => [id]), z.array(tokenId).max(1000)], 'a token id or a list of them')
  .default([]);

/** Keys that all families have. */
export const commonKeys = { model_type: text, bos_token_id: tokenIds, eos_token_id: tokenIds };

export function specialTokens(config: {
  bos_token_id: number[];
  eos_token_id: number[];
}): Pick<TransformerSpec, 'bos' | 'eos'> {
  return { bos: config.bos_token_id[0] ?? null, eos: config.eos_token_id };
}

/** Hugging Face's names of activations. */
const activations = new Map<string, Activation>([
  ['gelu', 'gelu'],
  ['gelu_new', 'geluTanh'],
  ['gelu_fast', 'geluTanh'],
  ['gelu_pytorch_tanh', 'geluTanh'],
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['relu', 'relu'],
]);

const activationNames = [...activations.keys()].join(', ');
/** A key that names an activation function. */
export const activation = z
  .string('a string')
  .refine((name) => activations.has(name), `an activation that is supported (${activationNames})`)
  .transform((name) => activations.get(name)!);

/** Throws UserError when heads do not divide the width. */
export function headSize(dModel: number, heads: number, unsupported: (what: string) => UserError): number {
  if (dModel % heads === 0) return dModel / heads;
  throw unsupported(`${heads} heads in a width of ${dModel}, which does not divide evenly`);
}

/** What most families have nothing of. */
export const plain = {
  embeddingScale: 1,
  scaledByDepth: false,
  experts: null,
  attentionCap: null,
  qkNorm: 'head',
  biases: { qkv: false, output: false, mlp: false, unembedding: false },
  parallelResidual: false,
  sumOntoNormed: false,
  residualScale: 1,
  logits: { scale: 1, cap: null },
} as const satisfies Partial<TransformerSpec>;
