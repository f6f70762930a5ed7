/**
 * @file Walking a foreign graph (ONNX, TensorFlow): each node is translated from the values it reads.
 *
 * A node that cannot be translated makes only itself and what follows from it unreachable, so the layers of a network
 * whose last steps are exotic can still be seen.
 */
import { UserError } from '../../core/errors.js';
import { naming } from '../layers/graph.js';
import { checkCount, limits } from '../limits.js';
import type { Importer } from './importer.js';
import type { ForeignValue } from './values.js';

export interface ForeignNode {
  /** What the user knows it by. */
  readonly label: string;
  readonly kind: string;
  /** Names of values; empty for an optional one left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Throws UserError for what is not supported. */
  translate(inputs: readonly (ForeignValue | undefined)[]): ForeignValue | readonly ForeignValue[];
}

/**
 * Translates `nodes`, in order of computation, adding to `values` what they write.
 *
 * @param isInner - whether they stand inside another graph, and may compute no layer
 * @returns layers that cannot be computed, with the reason
 * @throws UserError when no layer at all can be computed
 */
export function importNodes(
  importer: Importer,
  nodes: readonly ForeignNode[],
  values: Map<string, ForeignValue>,
  file: string,
  isInner = false,
): Map<string, string> {
  const broken = new Map<string, string>();
  const unreachable = new Map<string, string>();
  const written = new Set(nodes.flatMap(({ outputs }) => outputs));
  /** Why a value that nothing has made is missing. */
  const missing = (input: string): string =>
    written.has(input)
      ? `"${input}" is computed in a loop of ${file}, which is not supported`
      : `${file} has nothing that writes "${input}": the file is damaged`;
  let reached = 0;
  let numbers = 0;
  for (const { label, kind, inputs, outputs, translate } of nodes) {
    const fail = (reason: string): void => {
      for (const output of outputs) broken.set(output, reason);
      unreachable.set(label, reason);
    };
    const lost = inputs.find((input) => input !== '' && !values.has(input));
    if (lost !== undefined) {
      fail(broken.get(lost) ?? missing(lost));
      continue;
    }
    const read = inputs.map((input) => values.get(input));
    try {
      const results = naming(
        () => `the ${kind} node "${label}" of ${file}`,
        () => [translate(read)].flat(),
      );
      outputs.forEach((output, i) => {
        const value = results[i];
        if (output === '') return;
        if (!value) {
          broken.set(output, `output ${i} of the ${kind} node "${label}" of ${file} is not supported`);
          return;
        }
        if (value.kind === 'numbers') numbers += value.data.length;
        checkCount(numbers, limits.allNumbers, 'numbers that are worked out while reading');
        values.set(output, value);
      });
      const [first] = results;
      if (first?.kind === 'node' && first.node !== importer.graph.input && importer.graph.sees(first.node)) {
        const { node, cls } = importer.view(first);
        importer.graph.layer(label, node, kind, cls);
        reached++;
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      fail(error.message);
    }
  }
  if (reached === 0 && !isInner) {
    throw new UserError([...unreachable.values()][0] ?? `${file} computes nothing from a picture`);
  }
  return unreachable;
}
