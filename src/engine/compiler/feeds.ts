/** @file What an ONNX model is fed with, and what of it can be constants of the model instead. */
import { createHash } from 'node:crypto';
import { type DType, type GraphDType, sizeOf } from '../tensor-spec.js';
import { contentHash, type GraphNode, type Value, withoutReshape } from './graph.js';
import type { WeightType } from './half-weights.js';
import { takenPart } from './parts.js';

/** One input of an ONNX model: the caller's, a weight, or a value derived from weights. */
export type Feed = {
  readonly name: string;
  readonly shape: readonly number[];
} & (
  | { readonly kind: 'input'; readonly dtype: DType }
  | {
      readonly kind: 'weight';
      readonly dtype: WeightType;
      readonly weight: string;
      /** The first of its elements that are fed; all are where there is none. */
      readonly start?: number;
    }
  | { readonly kind: 'derived'; readonly dtype: GraphDType; readonly key: string }
);

/** How a device is fed. */
export interface Feeding {
  /** In which type a weight is fed. */
  readonly weightType: (name: string) => WeightType;
  /** Whether rows of a weight are fed as they lie in it, without a copy. */
  readonly views: boolean;
}

/** The feed of a value that nothing has to be computed for. */
export function leafFeed(value: Value, feeding: Feeding): Feed | undefined {
  const { source, shape, dtype } = value;
  if (source.kind === 'input')
    return { name: `input:${source.name}`, shape, dtype: dtype as DType, kind: 'input' };
  if (source.kind === 'weight') return weightFeed(source.name, '', shape, feeding);
  const base = withoutReshape(value);
  if (base.source.kind === 'weight') return weightFeed(base.source.name, `[${shape}]`, shape, feeding);
  const start = feeding.views ? firstElement(base) : undefined;
  if (!start) return undefined;
  return { ...weightFeed(start.weight, `@${start.at}[${shape}]`, shape, feeding), start: start.at };
}

function weightFeed(weight: string, suffix: string, shape: readonly number[], { weightType }: Feeding) {
  return {
    name: `weight:${weight}${suffix}`,
    shape,
    dtype: weightType(weight),
    kind: 'weight',
    weight,
  } as const;
}

/** Where in a weight a value begins that is some of its rows: they lie together. */
function firstElement({ source }: Value): { weight: string; at: number } | undefined {
  const part = source.kind === 'node' ? takenPart(source.node) : undefined;
  if (!part || source.kind !== 'node') return undefined;
  const { shape } = source.node.inputs[0]!;
  const whole = withoutReshape(source.node.inputs[0]!);
  if (whole.source.kind !== 'weight' || sizeOf(shape.slice(0, part.axis)) !== 1) return undefined;
  return { weight: whole.source.name, at: part.start * sizeOf(shape.slice(part.axis + 1)) };
}

export function feedOf(value: Value, fixed: ReadonlySet<Value>, feeding: Feeding): Feed | undefined {
  const leaf = leafFeed(value, feeding);
  if (leaf || !fixed.has(value)) return leaf;
  const base = withoutReshape(value);
  const { shape } = value;
  const key = structuralKey(base);
  return { name: `derived:${key}[${shape}]`, shape, dtype: value.dtype, kind: 'derived', key };
}

/** A name for a computation on weights: the same for the same computation in another graph. */
function structuralKey(value: Value, known = new Map<Value, string>()): string {
  const found = known.get(value);
  if (found) return found;
  const { source } = value;
  let text: string;
  if (source.kind === 'node') {
    const inputs = source.node.inputs.map((input) => (input ? structuralKey(input, known) : '-'));
    text = `${source.node.op} ${source.index} ${JSON.stringify(source.node.attributes)} ${inputs}`;
  } else if (source.kind === 'constant') {
    text = `constant ${value.dtype} ${value.shape} ${contentHash(source.data)}`;
  } else {
    text = `${JSON.stringify(source)} ${value.dtype} ${value.shape}`;
  }
  const key = createHash('sha1').update(text).digest('hex').slice(0, 20);
  known.set(value, key);
  return key;
}

export function uniqueFeeds(feeds: ReadonlyMap<Value, Feed>): Feed[] {
  return [...new Map([...feeds.values()].map((feed) => [feed.name, feed])).values()];
}

// -- constants -------------------------------------------------------------------------------------------------

/** Bytes of filters and matrices that a model holds as constants at most: ONNX Runtime takes no model of 2 GiB. */
const MOST_CONSTANTS = 2 ** 30;

/** Filters and biases of convolutions, by the names under which they are fed. */
export function namesOfFilters(nodes: readonly GraphNode[], feeds: ReadonlyMap<Value, Feed>): Set<string> {
  const read = nodes.flatMap(({ op, inputs }) => (op === 'Conv' ? inputs.slice(1) : []));
  return new Set(read.flatMap((value) => (value && feeds.get(value)?.name) ?? []));
}

/** What can be constants of a model: none where they are too many. */
export function packable(feeds: readonly Feed[], filters: ReadonlySet<string>): Feed[] {
  const chosen = feeds.filter(
    ({ kind, dtype, name }) =>
      kind !== 'input' && (dtype === 'int8' || (dtype === 'float32' && filters.has(name))),
  );
  const bytes = chosen.reduce((sum, { dtype, shape }) => sum + (dtype === 'int8' ? 1 : 4) * sizeOf(shape), 0);
  return bytes <= MOST_CONSTANTS ? chosen : [];
}
