/** @file What an ONNX operator is translated with: its inputs, its attributes, and the graph being written. */

import { UserError } from '../../../core/errors.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../../../engine/compiler/onnx-proto.js';
import type { Importer } from '../importer.js';
import { axisOf } from '../moves.js';
import type { ForeignValue } from '../values.js';

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

export class OnnxCall {
  private readonly attributes: ReadonlyMap<string, OnnxAttribute>;

  constructor(
    readonly importer: Importer,
    readonly node: OnnxNode,
    /** Undefined: an optional input left out. */
    readonly inputs: readonly (ForeignValue | undefined)[],
    /** Version of the operator set. */
    readonly opset: number,
    /** Values of a tensor that stands in an attribute. */
    readonly constant: (tensor: OnnxTensor) => ForeignValue,
    /** The outputs of a graph that stands in an attribute, where its nodes can be computed. */
    readonly inner: (graph: OnnxGraph) => readonly ForeignValue[],
  ) {
    this.attributes = new Map((node.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]));
  }

  /** Input `i`. Throws UserError when it is left out. */
  input(i: number): ForeignValue {
    const value = this.inputs[i];
    if (!value) throw new UserError(`lacks its input ${i}`);
    return value;
  }

  /** The same operator on other values. */
  withInputs(inputs: readonly (ForeignValue | undefined)[]): OnnxCall {
    return new OnnxCall(this.importer, this.node, inputs, this.opset, this.constant, this.inner);
  }

  has(name: string): boolean {
    return this.attributes.has(name);
  }

  int(name: string, fallback: number): number {
    return this.attributes.get(name)?.i ?? (this.has(name) ? 0 : fallback);
  }

  float(name: string, fallback: number): number {
    return this.attributes.get(name)?.f ?? (this.has(name) ? 0 : fallback);
  }

  string(name: string, fallback: string): string {
    return this.has(name) ? text(this.attributes.get(name)!.s) : fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.has(name) ? (this.attributes.get(name)!.ints ?? []) : undefined;
  }

  floats(name: string): readonly number[] | undefined {
    return this.has(name) ? (this.attributes.get(name)!.floats ?? []) : undefined;
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.attributes.get(name)?.t;
  }

  graph(name: string): OnnxGraph | undefined {
    return this.attributes.get(name)?.g;
  }

  /** A list that older operator sets keep in an attribute, newer ones in an input. */
  list(name: string, input: number): readonly number[] | undefined {
    const value = this.inputs[input];
    return value ? this.importer.numbers(value, `"${name}"`) : this.ints(name);
  }

  /** The only entry of a constant. */
  oneNumber(value: ForeignValue, what: string): number {
    const [number, ...more] = this.importer.numbers(value, what);
    if (number === undefined || more.length > 0) throw new UserError(`${what} must be one number`);
    return number;
  }

  /** Axis counted from the front. */
  axis(axis: number, rank: number): number {
    return axisOf(axis, rank);
  }
}

/** The outputs, in order. */
export type OnnxRule = (call: OnnxCall) => ForeignValue | readonly ForeignValue[];
