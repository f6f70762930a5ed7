/** @file What a TensorFlow operation is translated with: its inputs, its attributes, and the graph being written. */
import { UserError } from '../../../core/errors.js';
import type { Importer, Value } from '../values.js';

/** An attribute as protobuf's JSON writes it: integers as strings, strings in base64. */
export interface TfAttribute {
  readonly s?: string;
  readonly i?: string | number;
  readonly f?: number | string;
  readonly b?: boolean;
  readonly type?: string;
  readonly shape?: { readonly dim?: readonly { readonly size?: string | number }[] };
  readonly list?: { readonly s?: readonly string[]; readonly i?: readonly (string | number)[] };
}

export interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfAttribute>>;
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

export class TfCall {
  constructor(
    readonly importer: Importer,
    readonly node: TfNode,
    readonly inputs: readonly Value[],
  ) {}

  /** Input `i`, counted from the end when negative. Throws UserError when there is none. */
  input(i: number): Value {
    const value = this.inputs.at(i);
    if (!value) throw new UserError(`lacks its input ${i}`);
    return value;
  }

  /** Input `i` as a node. */
  at(i: number): number {
    return this.importer.asPlain(this.input(i));
  }

  /** Input `i` as numbers known while reading. */
  numbers(i: number, what: string): readonly number[] {
    return this.importer.numbers(this.input(i), what);
  }

  string(name: string, fallback: string): string {
    const value = this.attribute(name)?.s;
    return value === undefined ? fallback : decode(value);
  }

  strings(name: string): string[] {
    return (this.attribute(name)?.list?.s ?? []).map(decode);
  }

  number(name: string, fallback: number): number {
    const value = this.attribute(name);
    return Number(value?.f ?? value?.i ?? fallback);
  }

  flag(name: string): boolean {
    return this.attribute(name)?.b ?? false;
  }

  ints(name: string): number[] | undefined {
    return this.attribute(name)?.list?.i?.map(Number);
  }

  private attribute(name: string): TfAttribute | undefined {
    return this.node.attr?.[name];
  }
}

/** The outputs, in order. */
export type TfRule = (call: TfCall) => Value | readonly Value[];

export function axisOf(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) throw new UserError(`has the axis ${axis} for an array of ${rank} axes`);
  return axis < 0 ? axis + rank : axis;
}
