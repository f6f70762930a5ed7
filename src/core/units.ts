/**
 * @file Names of units, the one place where they are taken apart and put together.
 *
 * | name                           | unit                                                                    |
 * | ------------------------------ | ----------------------------------------------------------------------- |
 * | `L5.H1`                        | attention head 1 of layer 5                                             |
 * | `L3.N1000`                     | MLP neuron: what the down projection reads                              |
 * | `L3.N1000:pre`                 | its pre-activation (the gate's, in gated MLPs)                          |
 * | `L4.E3`                        | expert 3 of layer 4: the router's logit                                 |
 * | `L4.E3:weight`                 | its weight after the choice, 0 where it is not chosen                   |
 * | `L4.E3.N10`                    | neuron 10 of that expert, on the tokens that are routed to it           |
 * | `L5.D:file.safetensors#name`   | direction of the residual stream at the input of layer 5                |
 * | `sae:PATH#345`                 | latent 345 of a dictionary (sparse autoencoder, transcoder): a file, a folder,  |
 * |                                | or a repository of the hub and a path in it                             |
 * | `sae:PATH@blocks.2.hook_resid_post#345` | the same, where its files do not say what it reads                     |
 * | `gemma-2-2b/20-gemmascope-res-16k/1234` | latent 1234 of a dictionary that Neuronpedia has, by its name there     |
 * | `logit: Paris`                 | logit of the next token `" Paris"`: all after the colon, spaces included |
 * | `block4_conv1:4`               | CNN channel                                                             |
 * | `block4_conv1:4@7,5`           | the same at row 7, column 5                                             |
 * | `blocks.5.mlp:123@cls`         | the same at the class token of a vision transformer                     |
 *
 * TransformerLens names of heads and neurons are understood too: `blocks.5.attn.hook_result[1]`,
 * `blocks.3.mlp.hook_post[1000]`, `blocks.3.mlp.hook_pre[1000]`.
 */
import { UsageError } from './errors.js';

export interface HeadUnit {
  readonly kind: 'head';
  readonly layer: number;
  readonly head: number;
}

export interface NeuronUnit {
  readonly kind: 'neuron';
  readonly layer: number;
  readonly neuron: number;
  /** `post`: what the down projection reads; `pre`: what the activation function reads. */
  readonly side: 'pre' | 'post';
}

export interface ExpertUnit {
  readonly kind: 'expert';
  readonly layer: number;
  readonly expert: number;
  /** `logit`: what the router says; `weight`: by what the expert's output is multiplied. */
  readonly side: 'logit' | 'weight';
}

export interface ExpertNeuronUnit {
  readonly kind: 'expertNeuron';
  readonly layer: number;
  readonly expert: number;
  readonly neuron: number;
}

export interface DirectionUnit {
  readonly kind: 'direction';
  readonly layer: number;
  /** A safetensors file, and the name of a `[dModel]` array in it. */
  readonly file: string;
  readonly name: string;
}

export interface LatentUnit {
  readonly kind: 'latent';
  /**
   * The dictionary: its file of weights, or the folder; on this machine or, after `org/name/`, on the hub. Or
   * Neuronpedia's name of it: `neuronpedia:gemma-2-2b/20-gemmascope-res-16k`.
   */
  readonly path: string;
  /** What it reads, `blocks.L.…`; null where its files say it. */
  readonly place: string | null;
  readonly index: number;
}

export interface LogitUnit {
  readonly kind: 'logit';
  /** The token's text, as it continues a text: ` Paris` with its space. */
  readonly token: string;
}

export interface ChannelUnit {
  readonly kind: 'channel';
  /** The layer's name in its network. */
  readonly layer: string;
  readonly channel: number;
  /** One position of the channel's map, or the class token; null for all of the map. */
  readonly position: ChannelPosition | null;
}

export type ChannelPosition = { readonly row: number; readonly column: number } | 'cls';

export type TextUnit =
  | HeadUnit
  | NeuronUnit
  | ExpertUnit
  | ExpertNeuronUnit
  | DirectionUnit
  | LatentUnit
  | LogitUnit;
export type Unit = TextUnit | ChannelUnit;

const NEURONPEDIA = 'neuronpedia:';

/** The dictionary that a latent is of by Neuronpedia's name, `gemma-2-2b/20-gemmascope-res-16k`; null without one. */
export const neuronpediaSource = ({ path }: Pick<LatentUnit, 'path'>): string | null =>
  path.startsWith(NEURONPEDIA) ? path.slice(NEURONPEDIA.length) : null;

interface Form<U extends Unit> {
  /** Names, and what they mean, for people. */
  readonly example: string;
  /** Each a pattern and the unit that a match means; the first that matches counts. */
  readonly parse: readonly (readonly [pattern: RegExp, unit: (parts: readonly string[]) => U])[];
  readonly format: (unit: U) => string;
}

const head = ([layer, head]: readonly string[]): HeadUnit => ({
  kind: 'head',
  layer: Number(layer),
  head: Number(head),
});

const neuron =
  (side: NeuronUnit['side']) =>
  ([layer, neuron]: readonly string[]): NeuronUnit => ({
    kind: 'neuron',
    layer: Number(layer),
    neuron: Number(neuron),
    side,
  });

const expert =
  (side: ExpertUnit['side']) =>
  ([layer, expert]: readonly string[]): ExpertUnit => ({
    kind: 'expert',
    layer: Number(layer),
    expert: Number(expert),
    side,
  });

/** What stands after a channel's number: nothing, `@7,5` with its row and column, or `@cls`. */
export function channelPosition(at?: string, row?: string, column?: string): ChannelPosition | null {
  if (!at) return null;
  return row === undefined ? 'cls' : { row: Number(row), column: Number(column) };
}

function formatPosition(position: ChannelPosition | null): string {
  if (position === null) return '';
  return position === 'cls' ? '@cls' : `@${position.row},${position.column}`;
}

/** The forms of each kind's names: a new kind is a line here. */
const forms: { readonly [K in Unit['kind']]: Form<Extract<Unit, { kind: K }>> } = {
  head: {
    example: 'L5.H1 (a head)',
    parse: [
      [/^L(\d{1,9})\.H(\d{1,9})$/, head],
      [/^blocks\.(\d{1,9})\.attn\.hook_result\[(\d{1,9})\]$/, head],
    ],
    format: ({ layer, head }) => `L${layer}.H${head}`,
  },
  neuron: {
    example: 'L3.N1000 or L3.N1000:pre (a neuron)',
    parse: [
      [/^L(\d{1,9})\.N(\d{1,9})$/, neuron('post')],
      [/^blocks\.(\d{1,9})\.mlp\.hook_post\[(\d{1,9})\]$/, neuron('post')],
      [/^L(\d{1,9})\.N(\d{1,9}):pre$/, neuron('pre')],
      [/^blocks\.(\d{1,9})\.mlp\.hook_pre\[(\d{1,9})\]$/, neuron('pre')],
    ],
    format: ({ layer, neuron, side }) => `L${layer}.N${neuron}${side === 'pre' ? ':pre' : ''}`,
  },
  expert: {
    example: 'L4.E3 or L4.E3:weight (an expert)',
    parse: [
      [/^L(\d{1,9})\.E(\d{1,9})$/, expert('logit')],
      [/^L(\d{1,9})\.E(\d{1,9}):weight$/, expert('weight')],
    ],
    format: ({ layer, expert, side }) => `L${layer}.E${expert}${side === 'weight' ? ':weight' : ''}`,
  },
  expertNeuron: {
    example: 'L4.E3.N10 (a neuron of an expert)',
    parse: [
      [
        /^L(\d{1,9})\.E(\d{1,9})\.N(\d{1,9})$/,
        ([layer, expert, neuron]) => ({
          kind: 'expertNeuron',
          layer: Number(layer),
          expert: Number(expert),
          neuron: Number(neuron),
        }),
      ],
    ],
    format: ({ layer, expert, neuron }) => `L${layer}.E${expert}.N${neuron}`,
  },
  direction: {
    example: 'L5.D:file.safetensors#name (a direction)',
    parse: [
      [
        // A file's name may hold a "#", an array's may not.
        /^L(\d{1,9})\.D:(.+)#([^#]+)$/s,
        ([layer, file, name]) => ({ kind: 'direction', layer: Number(layer), file: file!, name: name! }),
      ],
    ],
    format: ({ layer, file, name }) => `L${layer}.D:${file}#${name}`,
  },
  latent: {
    example: 'sae:PATH#345 or a name of Neuronpedia (a latent of a dictionary)',
    parse: [
      [
        /^sae:(.+?)(?:@(blocks\.\d{1,9}\.[\w.]+))?#(\d{1,9})$/s,
        ([path, place, index]) => ({
          kind: 'latent',
          path: path!,
          place: place ?? null,
          index: Number(index),
        }),
      ],
      [
        /^(\w[\w.-]*\/\d{1,9}-[\w.-]+)\/(\d{1,9})$/,
        ([source, index]) => ({
          kind: 'latent',
          path: NEURONPEDIA + source!,
          place: null,
          index: Number(index),
        }),
      ],
    ],
    format: ({ path, place, index }) =>
      path.startsWith(NEURONPEDIA)
        ? `${path.slice(NEURONPEDIA.length)}/${index}`
        : `sae:${path}${place === null ? '' : `@${place}`}#${index}`,
  },
  logit: {
    example: '"logit: Paris" (a next token)',
    parse: [[/^logit:(.+)$/s, ([token]) => ({ kind: 'logit', token: token! })]],
    format: ({ token }) => `logit:${token}`,
  },
  channel: {
    example: 'layer:4 or layer:4@7,7 (a channel of a network that sees, or one position of it)',
    parse: [
      [
        // What begins as a text unit is a misspelt text unit, not a layer of a CNN.
        /^(?!L\d+\.|logit:|sae:)([^:@\s]+):(\d{1,9})(@(?:(\d{1,9}),(\d{1,9})|cls))?$/,
        ([layer, channel, at, row, column]) => ({
          kind: 'channel',
          layer: layer!,
          channel: Number(channel),
          position: channelPosition(at, row, column),
        }),
      ],
    ],
    format: ({ layer, channel, position }) => `${layer}:${channel}${formatPosition(position)}`,
  },
};

/** The unit that a name means, or null when it has none of the forms. Ranges are not checked. */
export function tryParseUnit(name: string): Unit | null {
  for (const { parse } of Object.values(forms)) {
    for (const [pattern, unit] of parse) {
      const match = pattern.exec(name);
      if (match) return unit(match.slice(1));
    }
  }
  return null;
}

export const isTextUnit = (unit: Unit | null): unit is TextUnit => unit !== null && unit.kind !== 'channel';

/**
 * The unit that a name means. Ranges are the model's business (`parseTextUnit`).
 *
 * @throws UsageError that lists the forms
 */
export function parseUnit(name: string): Unit {
  const unit = tryParseUnit(name);
  if (unit) return unit;
  const examples = Object.values(forms).map(({ example }) => example);
  throw new UsageError(`"${name}" names no unit: wanted is ${examples.join(', ')}`);
}

/** The name of a unit; `parseUnit` gives the unit back. */
export function formatUnit<U extends Unit>(unit: U): string {
  return (forms[unit.kind] as unknown as Form<U>).format(unit);
}
