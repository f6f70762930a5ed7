/** @file A graph as text, one node per line, to see what a function has become. */
import type { Attribute, GraphNode, Traced, Value } from './graph.js';
import { dependsOnWeightsAlone, reachable } from './reachable.js';

/** Constants of at most so many elements are written out. */
const SHORT = 8;

/**
 * Prints a graph.
 *
 * @param isElsewhere - whether a node is computed on the CPU and not on the device
 *
 * ```text
 * input x: float32[2,4]
 * weight w: float32[3,4]
 * once a: float32[4,3] = Transpose(w) perm=[1,0]
 * b: float32[2,3] = Relu(x)
 * return y=b
 * ```
 *
 * Nodes marked `once` depend on weights alone and are computed once for all runs; those marked `cpu` are computed on the
 * CPU, and the last line but one lists their operators.
 */
export function printTraced({ outputs }: Traced, isElsewhere: (node: GraphNode) => boolean): string {
  const results = Object.values(outputs);
  const { nodes, leaves } = reachable(results);
  const once = dependsOnWeightsAlone(results);
  const names = new Map<Value, string>();
  for (const value of nodes.flatMap((node) => node.outputs)) names.set(value, letters(names.size));
  const nameOf = (value: Value) => names.get(value) ?? leafName(value);
  const fed = leaves.flatMap((value) =>
    value.source.kind === 'input' || value.source.kind === 'weight'
      ? [`${value.source.kind} ${leafName(value)}: ${typeOf(value)}`]
      : [],
  );
  const lines = nodes.map((node) => {
    const made = node.outputs.map((value) => `${nameOf(value)}: ${typeOf(value)}`).join(', ');
    const marks = `${once.has(node.outputs[0]!) ? 'once ' : ''}${isElsewhere(node) ? 'cpu ' : ''}`;
    return `${marks}${made} = ${call(node, nameOf)}`;
  });
  const elsewhere = [...new Set(nodes.filter(isElsewhere).map(({ op }) => op))].sort();
  const listed = elsewhere.length > 0 ? [`on the cpu: ${elsewhere.join(', ')}`] : [];
  const returned = Object.entries(outputs).map(([name, value]) => `${name}=${nameOf(value)}`);
  return [...fed, ...lines, ...listed, `return ${returned.join(' ')}`].join('\n');
}

function call({ op, inputs, attributes }: GraphNode, nameOf: (value: Value) => string): string {
  const settings = Object.entries(attributes).map(([name, value]) => ` ${name}=${attributeText(value)}`);
  return `${op}(${inputs.map((input) => (input ? nameOf(input) : '-')).join(', ')})${settings.join('')}`;
}

const typeOf = ({ dtype, shape }: Value) => `${dtype}[${shape}]`;

function leafName(value: Value): string {
  const { source, shape } = value;
  if (source.kind === 'input' || source.kind === 'weight') return source.name;
  if (source.kind === 'splat') return shape.length === 0 ? `${source.value}` : `${source.value}[${shape}]`;
  if (source.kind !== 'constant') throw new Error('a value that was made by a node has a name');
  return source.data.length <= SHORT ? `[${source.data.join(' ')}]` : `constant ${typeOf(value)}`;
}

function attributeText(value: Attribute): string {
  if (typeof value === 'number' || typeof value === 'string') return `${value}`;
  return 'f' in value ? `${value.f}` : `[${value}]`;
}

/** a, b, … z, aa, ab, … */
function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
