/** @file What a TensorFlow operation is translated with: its inputs, its attributes, and the graph being written. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.js';
import { own } from '../../../core/own.js';
import { limits } from '../../limits.js';
import type { Importer } from '../importer.js';
import { nameSchema } from '../json-file.js';
import type { ForeignValue, NodeValue } from '../values.js';

const integer = z.union([z.string().max(limits.name), z.number()]);

/** An attribute as protobuf's JSON writes it: integers as strings, strings in base64. */
const attributeSchema = z.object({
  s: z.string().max(limits.name).optional(),
  i: integer.optional(),
  f: integer.optional(),
  b: z.boolean().optional(),
  type: integer.optional(),
  shape: z.object({ dim: z.array(z.object({ size: integer.optional() })).optional() }).optional(),
  list: z
    .object({ s: z.array(z.string().max(limits.name)).optional(), i: z.array(integer).optional() })
    .optional(),
});
export type TfAttribute = z.infer<typeof attributeSchema>;

export const nodeSchema = z.object({
  name: nameSchema,
  op: nameSchema,
  input: z.array(nameSchema).max(limits.nodes).optional(),
  attr: z.record(z.string(), attributeSchema).optional(),
});
export type TfNode = z.infer<typeof nodeSchema>;

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

export class TfCall {
  constructor(
    readonly importer: Importer,
    readonly node: TfNode,
    readonly inputs: readonly ForeignValue[],
  ) {}

  /** Input `i`, counted from the end when negative. Throws UserError when there is none. */
  input(i: number): ForeignValue {
    const value = this.inputs.at(i);
    if (!value) throw new UserError(`lacks its input ${i}`);
    return value;
  }

  /** Input `i` as an image [batch, height, width, channel]. */
  image(i: number): number {
    return this.importer.asImage(this.input(i), this.isChannelsFirst ? 'NCHW' : 'NHWC');
  }

  /** An image as the operation gives it out. */
  asOutput(node: number): NodeValue {
    return this.isChannelsFirst ? this.importer.image(node) : this.importer.plain(node);
  }

  get isChannelsFirst(): boolean {
    return this.string('data_format', 'NHWC') === 'NCHW';
  }

  /** Input `i` with its channels held last, in order of the axes. */
  channelsLast(value: ForeignValue): NodeValue {
    const { importer } = this;
    if (value.kind !== 'node') throw new UserError('reads a constant where an activation should be');
    if (this.isChannelsFirst && value.order.length === 4) return importer.image(importer.asImage(value));
    return importer.plain(importer.asPlain(value), value.roles);
  }

  /** Input `i` as numbers known while reading. */
  numbers(i: number, what: string): readonly number[] {
    return this.importer.numbers(this.input(i), what);
  }

  string(name: string, fallback: string): string {
    const value = this.attribute(name)?.s;
    return value === undefined ? fallback : decode(value);
  }

  /** An element type: a name, or TensorFlow's number of it. */
  type(name: string): string {
    return String(this.attribute(name)?.type ?? '');
  }

  strings(name: string): string[] {
    return (this.attribute(name)?.list?.s ?? []).map(decode);
  }

  /** Throws UserError for a text that is no number. */
  number(name: string, fallback: number): number {
    const value = this.attribute(name);
    const number = Number(value?.f ?? value?.i ?? fallback);
    if (Number.isNaN(number)) throw new UserError(`has the attribute "${name}" that is no number`);
    return number;
  }

  flag(name: string): boolean {
    return this.attribute(name)?.b ?? false;
  }

  ints(name: string): number[] | undefined {
    return this.attribute(name)?.list?.i?.map(Number);
  }

  private attribute(name: string): TfAttribute | undefined {
    return this.node.attr && own(this.node.attr, name);
  }
}

/** The outputs, in order. */
export type TfRule = (call: TfCall) => ForeignValue | readonly ForeignValue[];
