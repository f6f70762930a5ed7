/** @file What part of the picture one position of a layer depends on. */
import { graphShapes } from './evaluate.js';
import type { LayerGraph } from './graph.js';
import type { Op, Shape } from './op.js';
import { placeWindow, type Window } from './windows.js';

/** Rows `top` to `bottom` and columns `left` to `right`, the last ones included. */
export interface Field {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** First and last of the entries along one axis. */
type Reach = readonly [first: number, last: number];

/**
 * The pixels that can change what `node` is at a position; the whole picture where the node has no positions.
 *
 * @param image - [batch, height, width, channel] of the pictures
 */
export function receptiveField(
  graph: LayerGraph,
  node: number,
  image: Shape,
  position: { readonly row: number; readonly column: number },
): Field {
  const shapes = graphShapes(graph, image);
  const along = (axis: 0 | 1, at: number): Reach => {
    const size = (at: number) => shapes.get(at)![axis + 1] ?? 1;
    const spans = new Map<number, Reach>([[node, [at, at]]]);
    // Readers come after what they read, so every span is complete when it is passed on.
    for (let reader = node; reader > 0; reader--) {
      const span = spans.get(reader);
      if (!span) continue;
      const { op, inputs } = graph.nodes[reader]!;
      for (const input of inputs) {
        const read = spanBefore(op, axis, span, shapes.get(input)!, shapes.get(reader)!);
        // What lies in the padding is no part of the input.
        const [first, last] = [Math.max(0, read[0]), Math.min(size(input) - 1, read[1])];
        if (first > last) continue;
        const known = spans.get(input) ?? [first, last];
        spans.set(input, [Math.min(first, known[0]), Math.max(last, known[1])]);
      }
    }
    return spans.get(0) ?? [0, size(0) - 1];
  };
  const [top, bottom] = along(0, position.row);
  const [left, right] = along(1, position.column);
  return { top, bottom, left, right };
}

/** What an operation reads of an input along the height (0) or width (1) for the entries `span` of its output. */
function spanBefore(op: Op, axis: 0 | 1, span: Reach, input: Shape, output: Shape): Reach {
  const size = input[axis + 1] ?? 1;
  const [first, last] = span;
  switch (op.kind) {
    case 'conv':
    case 'max pool':
    case 'average pool':
      return windowSpan(op.window, axis, span, input);
    case 'pad':
      return [first - (op.pads[axis + 1]?.[0] ?? 0), last - (op.pads[axis + 1]?.[0] ?? 0)];
    case 'slice':
      if (op.axis !== axis + 1) return span;
      return [op.begin + first * op.step, op.begin + last * op.step];
    case 'affine':
    case 'activation':
    case 'prelu':
    case 'lrn':
    case 'softmax':
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'divide':
    case 'maximum':
    case 'minimum':
      // An input that is broadcast (a gate) has one entry for all.
      return output.length === 4 && input.length === 4 && size === output[axis + 1] ? span : [0, size - 1];
    case 'concat':
      return op.axis === 3 || op.axis === -1 ? span : [0, size - 1];
    default:
      return [0, size - 1];
  }
}

function windowSpan(window: Window, axis: 0 | 1, [first, last]: Reach, input: Shape): Reach {
  const before = placeWindow(window, input[1]!, input[2]!).pads[2 * axis]!;
  const stride = window.strides[axis];
  const reach = (window.size[axis] - 1) * window.dilations[axis];
  return [first * stride - before, last * stride - before + reach];
}
