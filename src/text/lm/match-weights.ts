/** @file The weights that a file has, under the names of the network that config.json describes. */
import { UserError } from '../../core/errors.js';
import { sameShape } from '../../engine/tensor-spec.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { families } from './families/table.js';
import { parameterShapes } from './parameters.js';
import type { TransformerSpec } from './spec.js';

/** A network and its weights, which belong together. */
export interface MatchedWeights {
  readonly spec: TransformerSpec;
  /** Under the names of `parameterShapes`. */
  readonly weights: WeightSource;
  /** What was unusual, one sentence each. */
  readonly notes: readonly string[];
}

/** What programs put in front of all names: compiled, parallel, adapted and multimodal models. */
const wrappers = ['_orig_mod.', 'module.', 'base_model.model.', 'language_model.', 'model.'];

/**
 * A file's weights under the names of `parameterShapes`, all there and of the right shape. A file saved from a
 * model without its head lacks the prefix of the names, one saved from within a wrapper has another in front; both are
 * read. Where the file has an unembedding that differs from the embedding, the two are not tied. Looks at shapes alone,
 * but for that.
 *
 * @param where - the model folder, as complaints call it
 * @throws UserError that names the first weight that is missing, of another shape, or of a layer too many
 */
export function matchWeights(described: TransformerSpec, file: WeightSource, where: string): MatchedWeights {
  const naming = findNaming(described, new Set(file.names));
  const fileName = (name: string) => naming.fileName(name);
  const { fold, present } = families.get(described.family)!;
  const source = present?.(file, fileName) ?? file;
  const stored = new Set(source.names);
  const spec = {
    ...described,
    tiedEmbeddings: described.tiedEmbeddings && !untied(described, source, fileName),
  };
  const notes = naming.wrapper
    ? [`the weights in ${where} have "${naming.wrapper}" in front of their names, which is taken off`]
    : [];
  if (spec.tiedEmbeddings !== described.tiedEmbeddings)
    notes.push(
      `config.json in ${where} says that embedding and unembedding are one matrix, but the file has two that differ; both are used`,
    );

  const shapes = parameterShapes(spec);
  const disagree = (how: string) =>
    new UserError(
      `config.json and the weights in ${where} disagree: ${how}; take both files from the same model`,
    );
  for (const [name, shape] of shapes) {
    const there = fileName(name);
    if (!stored.has(there)) throw disagree(`there is no "${name}" of shape [${shape.join(', ')}]`);
    const actual = source.shape(there);
    if (!sameShape(actual, shape))
      throw disagree(`"${there}" should be of shape [${shape.join(', ')}] but is [${actual.join(', ')}]`);
  }
  const inLayers = `${naming.front}${spec.modules.layers}.`;
  const beyond = source.names.find(
    (name) => name.startsWith(inLayers) && Number(name.slice(inLayers.length).split('.')[0]) >= spec.layers,
  );
  if (beyond !== undefined) throw disagree(`there is "${beyond}" but only ${spec.layers} layers`);
  const { halves } = source;
  return {
    spec,
    notes,
    weights: {
      names: [...shapes.keys()],
      shape: (name) => source.shape(fileName(name)),
      read(name) {
        const values = source.read(fileName(name));
        fold?.(name, values);
        return values;
      },
      halves: halves && {
        ...halves,
        type: (name) => halves.type(fileName(name)),
        read: (name) => halves.read(fileName(name)),
      },
    },
  };
}

interface Naming {
  /** What a wrapper put in front; empty where there is none. */
  readonly wrapper: string;
  /** What stands in front of the embedding's own name. */
  readonly front: string;
  fileName(name: string): string;
}

/** How the file spells names, by how it spells the embedding's. */
function findNaming(spec: TransformerSpec, stored: ReadonlySet<string>): Naming {
  const { prefix, tokenEmbedding } = spec.modules;
  const own = `${tokenEmbedding}.weight`;
  const fronts = [...stored]
    .filter((name) => name.endsWith(own))
    .map((name) => name.slice(0, -own.length))
    .filter((front) => isWrapped(endsIn(front, prefix) ? cut(front, prefix) : front))
    .sort((a, b) => a.length - b.length);
  const front = fronts[0] ?? prefix;
  const bare = !endsIn(front, prefix);
  const wrapper = bare ? front : cut(front, prefix);
  return {
    wrapper,
    front,
    fileName(name) {
      if (name.startsWith(prefix)) return front + name.slice(prefix.length);
      // The head stands outside of the body, and in some wrappers outside of those too.
      return (
        [wrapper + name, ...wrappers.map((each) => each + name)].find((each) => stored.has(each)) ?? name
      );
    },
  };
}

/** Whether the last parts of a name are these: "language_model." does not end in "model.". */
const endsIn = (name: string, end: string) => name === end || name.endsWith(`.${end}`);

const cut = (text: string, end: string) => text.slice(0, text.length - end.length);

/** Whether something is made of wrappers alone. */
function isWrapped(front: string): boolean {
  if (front === '') return true;
  return wrappers.some((wrapper) => front.startsWith(wrapper) && isWrapped(front.slice(wrapper.length)));
}

/** Whether the file has an unembedding of its own that differs from the embedding. */
function untied(spec: TransformerSpec, source: WeightSource, fileName: (name: string) => string): boolean {
  const { prefix, tokenEmbedding, unembedding } = spec.modules;
  const [embedding, head] = [
    fileName(`${prefix}${tokenEmbedding}.weight`),
    fileName(`${unembedding}.weight`),
  ];
  const stored = source.names;
  if (!stored.includes(head) || !stored.includes(embedding)) return false;
  if (!sameShape(source.shape(head), source.shape(embedding))) return true;
  const [a, b] = [source.read(embedding), source.read(head)];
  return a.some((value, i) => value !== b[i]);
}
