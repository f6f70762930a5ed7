/** Run folders of every task, small, written by the run folder's own writer. */
import sharp from 'sharp';
import type { Explanation } from '../../src/core/explanation.js';
import type { ScoredText } from '../../src/core/scored-text.js';
import type { EventBody, JsonValue, RunEvent } from '../../src/runs/events.js';
import { createRunFolder } from '../../src/runs/run-folder.js';
import { clusterTexts } from '../../src/text/readouts/clusters.js';

/** A text that would break a page or act on a terminal which forgot to escape it. */
export const HOSTILE = '</script><img src=x onerror="fail()">\'&amp;\x1b]0;title\x07\x9b2J\u202E';

export function scored(text: string, cross_entropy: number, z: number, rank = 1): ScoredText {
  const token_ids = Array.from(text, (character) => character.codePointAt(0)!);
  return { text, token_ids, cross_entropy, raw: z / 2, z, margin: rank === 1 ? 1.5 : -0.5, rank };
}

/** An explanation with a token a word. */
export function explained(
  { text, cross_entropy, z: score, margin, rank }: ScoredText,
  unit: string,
): Explanation {
  const tokens = ['<s>', ...(text.match(/\s*\S+/g) ?? [text])];
  const position = tokens.length - 1;
  const z = tokens.map((_, i) => (i === 0 ? null : i === position ? score : i / 2 - 2));
  return {
    unit,
    text,
    tokens,
    token_ids: tokens.map((_, i) => i),
    cross_entropy,
    margin,
    rank,
    score,
    z,
    logprobs: tokens.map((_, i) => (i === 0 ? null : -i)),
    raw: tokens.map((_, i) => i),
    peak: { position, raw: position, z: score },
    rivals: [
      { unit: 'L2.H1', z: score - 1 },
      { unit: 'L2.H7', z: -0.5 },
    ],
    attention: {
      weight: tokens.map(() => 1 / tokens.length),
      contribution: tokens.map((_, i) => i),
    },
    logits: { top: [{ token: ' yes', value: 2 }], bottom: [{ token: `\n${HOSTILE}`, value: -3 }] },
    substitutions: tokens.map((_, i) =>
      i === 0 ? [] : [' the', ' a'].map((token) => ({ token, value: i === position ? 0 : score })),
    ),
    ablation: tokens.map(() => 0.01),
  };
}

/** What its texts stand in. */
const frame = { bos: 'auto', chat: 'user', before: ['<s>', HOSTILE], after: ['\n'] };

/** Writes a run and returns its path. */
export function writeRun(
  parent: string,
  task: string,
  unit: string,
  bodies: readonly EventBody[],
  files: Readonly<Record<string, Uint8Array>> = {},
): string {
  const folder = createRunFolder(parent, {
    command: ['superstim', task, '--unit', unit, '--note', HOSTILE],
    job: { version: 1, task, unit, method: 'evolve', length: 12, prior: null, seed: 0 },
    versions: { superstimulus: '0.1.0' },
    model: { name: 'books-lm', hash: 'abc', ...(task !== 'image' && { frame }) },
  });
  for (const [name, data] of Object.entries(files)) folder.writeFile(name, data);
  for (const [i, body] of bodies.entries()) folder.append({ ...body, at: i / 10 } as RunEvent);
  const candidates = bodies.flatMap((body) => (body.kind === 'candidate' ? [body.candidate] : []));
  if (candidates.length > 0) folder.writeFrontier(candidates);
  folder.close();
  return folder.path;
}

export const texts = [
  scored('the old man said', 2.1, 3.2),
  scored(` a ${HOSTILE} indeed`, 3.4, 5.1, 2),
  scored('She said\n\t"Monday" twice', 4.4, 7.9),
];

/** A finished search. */
export function textRun(parent: string, candidates: readonly ScoredText[] = texts): string {
  const unit = 'L2.H3';
  const prior = scored('he said', 3, 3.3, 2);
  const result: JsonValue = JSON.parse(
    JSON.stringify({
      unit,
      method: 'evolve',
      cost: { seconds: 4, evaluations: 900, token_layers: 9000 },
      hypervolume: 20.5,
      published: {
        name: 'books-lm/2-set/17',
        maximum: 16,
        exemplars: [{ text: `published ${HOSTILE}`, published: 15.5, raw: 14.25 }],
      },
      clusters: clusterTexts(candidates.slice(0, 3).map((text) => explained(text, unit))),
      frontier: candidates,
      baselines: { prior_best: { ...prior, hypervolume: 11 }, corpus_best: null },
    }),
  );
  return writeRun(parent, 'text', unit, [
    { kind: 'started', task: 'text', unit, method: 'evolve' },
    ...candidates.map(
      (candidate): EventBody => ({ kind: 'candidate', source: 'search', candidate, operator: 'swap' }),
    ),
    { kind: 'candidate', source: 'search', candidate: scored('beaten', 5, 1), operator: 'swap' },
    { kind: 'baseline', name: 'prior_best', candidate: prior },
    ...candidates
      .slice(0, 3)
      .map((text): EventBody => ({ kind: 'explained', explanation: explained(text, unit) })),
    { kind: 'warning', message: 'the disk is <nearly> full' },
    { kind: 'finished', reason: 'done', result },
  ]);
}

/** A finished render of four frames. */
export async function imageRun(parent: string): Promise<string> {
  const unit = 'block4_conv1:4';
  const steps = [0, 10, 20, 30];
  const files: Record<string, Uint8Array> = {};
  for (const step of steps) {
    const picture = sharp({
      create: { width: 32, height: 24, channels: 3, background: { r: step * 8, g: 90, b: 160 } },
    });
    files[`frames/${String(step).padStart(6, '0')}.png`] = await picture.png().toBuffer();
  }
  files['picture.png'] = Object.values(files).at(-1)!;
  return writeRun(
    parent,
    'image',
    unit,
    [
      { kind: 'started', task: 'image', unit, method: null },
      ...steps.map(
        (step, i): EventBody => ({
          kind: 'frame',
          file: Object.keys(files)[i]!,
          step,
          activation: step * 1.5 - 3,
        }),
      ),
      {
        kind: 'finished',
        reason: 'done',
        result: { unit, image: 'picture.png', activation: { start: -3, final: 42, curve: [-3, 5, 20, 42] } },
      },
    ],
    files,
  );
}

/** A finished training of a few steps. */
export function tuneRun(parent: string): string {
  const unit = 'L1.N7';
  const statistics = (z: number) => ({
    count: 64,
    z,
    z_deviation: 1,
    cross_entropy: 3,
    unique: 1,
    texts: 1,
    kl: 2,
  });
  return writeRun(parent, 'tune', unit, [
    { kind: 'started', task: 'tune', unit, method: 'leave-one-out' },
    ...[1, 2, 3, 4, 5, 6, 7, 8].map(
      (step): EventBody => ({
        kind: 'step',
        source: 'search',
        step,
        metrics: { reward: step / 2, reward_max: step, kl: step / 4, learning_rate: 1e-4 },
        samples: [scored(`sample of step ${step}`, 3, step / 2)],
      }),
    ),
    {
      kind: 'finished',
      reason: 'done',
      result: { unit, samples: statistics(4), prior_samples: statistics(0) },
    },
  ]);
}
