/**
 * @file A batch of one that a graph takes apart and puts together again, as MoveNet and the detectors of TensorFlow begin:
 * between the two the picture lacks its batch. Here it keeps it, so that any number of pictures can be computed at once.
 */
import type { TfNode } from './tf-ops/context.js';

/** Operations that do the same with and without a batch. */
const unchanged: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Relu', 'Relu6', 'Abs', 'Neg', 'Sqrt']);

type State = 'batched' | 'single';

/**
 * The nodes, in which what takes the batch off and puts it back does nothing; as they are where anything else reads a
 * picture without its batch.
 *
 * @param nodes - in order of computation
 * @param image - the name of the input
 * @param axis - the number that a constant holds; null where it is no constant of one number
 */
export function withSinglePictures(
  nodes: readonly TfNode[],
  image: string,
  axis: (constant: string) => number | null,
): readonly TfNode[] {
  const states = new Map<string, State>([[image, 'batched']]);
  const result: TfNode[] = [];
  for (const node of nodes) {
    const inputs = (node.input ?? []).filter((input) => !input.startsWith('^'));
    const state = states.get((inputs[0] ?? '').replace(/:0$/, ''));
    const next = state && stateAfter(node, state, () => axis(inputs[1] ?? ''));
    if (next === undefined) {
      if (inputs.some((input) => states.get(input.replace(/:\d+$/, '')) === 'single')) return nodes;
      result.push(node);
      continue;
    }
    states.set(node.name, next);
    result.push(state === next ? node : { ...node, op: 'Identity', input: inputs.slice(0, 1) });
  }
  return result;
}

/** What a node outputs that reads the picture, where this follows it. */
function stateAfter(
  { op, attr = {}, input = [] }: TfNode,
  state: State,
  axis: () => number | null,
): State | undefined {
  const number = (name: string): number => Number(attr[name]?.i ?? 0);
  const dims = (attr.squeeze_dims ?? attr.axis)?.list?.i ?? [];
  if (unchanged.has(op)) return state;
  if (state === 'batched') {
    const takesOff =
      (op === 'Unpack' && number('axis') === 0 && number('num') === 1) ||
      (op === 'Squeeze' && dims.length === 1 && Number(dims[0]) === 0);
    return takesOff ? 'single' : undefined;
  }
  const putsBack =
    (op === 'ExpandDims' && axis() === 0) || (op === 'Pack' && number('axis') === 0 && input.length === 1);
  return putsBack ? 'batched' : undefined;
}
