/** Proposals on the embedded model, against brute force. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun } from '../../runs/events.js';
import { embedTokens } from '../lm/embed.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import { forward, sequenceLogProbs } from '../lm/transformer.js';
import { Probe } from '../readouts/probe.js';
import { calibrate, resolveUnits } from '../readouts/session.js';
import { Proposer } from './proposals.js';

const positions = 6;
const vocab = 4096;
let model: TextModel;
let probe: Probe;
let proposer: Proposer;
let banned: readonly number[];
let row: Int32Array;

beforeAll(async () => {
  model = await loadTextModel(`${embeddedFolder}/books-lm`);
  const options = { model, engine: 'onnx', measure: 'delta', at: 'max', reference: 'none', seed: 0 } as const;
  const { tokenizer } = model;
  probe = await Probe.create({
    subject: openSubject(model, 'onnx'),
    ...resolveUnits('L2.H1', options),
    calibration: await finishRun(calibrate(options)),
    at: 'max',
  });
  banned = tokenizer.excludedTokens();
  proposer = new Proposer({
    probe,
    positions,
    batch: 2,
    asked: 4,
    count: 40,
  });
  row = Int32Array.from(tokenizer.encode('It was a dark and stormy night').slice(0, positions));
}, 60_000);

/** Log-probabilities of every next token, `[positions - 1, vocab]`. */
async function exactLogProbs(): Promise<Float32Array> {
  const { spec, weights } = model;
  const program = await compile(
    ({ ids }, w) => ({
      all: tf.slice(
        tf.logSoftmax(forward(spec, w, { ids: ids! }).at('logits')),
        [0, 0, 0],
        [1, positions - 1, -1],
      ),
    }),
    { inputs: { ids: { shape: [1, positions], dtype: 'int32' } }, weights },
  );
  return (await program.run({ ids: row })).all as Float32Array;
}

describe('Proposer', () => {
  it('lists the likeliest tokens at each position, banned ones left out', async () => {
    const [{ likely }] = (await proposer.propose(row, [0])) as [Awaited<ReturnType<Proposer['propose']>>[0]];
    const exact = await exactLogProbs();
    const forbidden = new Set(banned);
    for (let position = 0; position < positions - 1; position++) {
      const order = Array.from({ length: vocab }, (_, id) => id)
        .filter((id) => !forbidden.has(id))
        .sort((a, b) => exact[position * vocab + b]! - exact[position * vocab + a]!);
      expect(Array.from(likely.ids.slice(position * 40, position * 40 + 5))).toEqual(order.slice(0, 5));
      expect(likely.logProbs[position * 40]!).toBeCloseTo(exact[position * vocab + order[0]!]!, 3);
    }
  });

  it('computes what is asked of one text and of several alike', async () => {
    const other = row.slice().reverse();
    other.copyWithin(1, 0, -1);
    other[0] = row[0]!;
    const rows = [row, other, row, row, other];
    const lambdas = [0.1, 2, 0.1, 5, 2];
    const together = await proposer.steepest(rows, lambdas);
    expect(together).toHaveLength(5);
    expect(together[2]).toEqual(together[0]);
    expect(together[4]).toEqual(together[1]);
    expect(together[3]).not.toEqual(together[0]);
    for (const [i, one] of rows.entries())
      expect((await proposer.steepest([one], [lambdas[i]!]))[0]).toEqual(together[i]);
    const ofUnit = new Proposer({ ...proposer.options, fluency: false });
    expect(await ofUnit.steepest(rows, [0, 0, 0, 0, 0])).toEqual(
      await proposer.steepest(rows, [0, 0, 0, 0, 0]),
    );
    await ofUnit.dispose();
  });

  it('lists tokens toward which the objective rises, as finite differences along their embeddings say', async () => {
    const lambda = 0.7;
    const [favoured] = await proposer.steepest([row], [lambda]);
    const { spec, weights } = model;
    const eps = 2e-3;
    // z - lambda * cross entropy with one embedding moved toward another token's; the predicted token moves along.
    const program = await compile(
      ({ ids, token, at }, w) => {
        const embeddings = embedTokens(spec, w, ids!);
        const place = tf.reshape(tf.oneHot(at as tf.Tensor1D, positions), [1, positions, 1]);
        const towards = tf.sub(embedTokens(spec, w, token!), embeddings);
        const moved = (share: number) => {
          const run = forward(spec, w, {
            embeddings: tf.add(embeddings, tf.mul(tf.mul(towards, place), share)),
          });
          return tf.add(
            tf.sum(probe.unitZ(w, run)),
            tf.mul(tf.sum(sequenceLogProbs(spec, w, run, ids!)), lambda / (positions - 1)),
          );
        };
        return { slope: tf.div(tf.sub(moved(eps), moved(-eps)), 2 * eps) };
      },
      {
        inputs: {
          ids: { shape: [1, positions], dtype: 'int32' },
          token: { shape: [1, 1], dtype: 'int32' },
          at: { shape: [1], dtype: 'int32' },
        },
        weights,
      },
    );
    const exact = await exactLogProbs();
    const slope = async (token: number, position: number) => {
      const moved = (await program.run({ ids: row, token: [token], at: [position] })).slope![0]!;
      const predicted =
        (lambda / (positions - 1)) *
        (exact[(position - 1) * vocab + token]! - exact[(position - 1) * vocab + row[position]!]!);
      return moved + predicted;
    };
    for (const position of [1, 3, positions - 1]) {
      const best = await slope(favoured![(position - 1) * 40]!, position);
      const last = await slope(favoured![(position - 1) * 40 + 39]!, position);
      const listed = favoured!.subarray((position - 1) * 40, position * 40);
      const unlisted = [500, 700, 1900, 3000, 3500].filter(
        (id) => !banned.includes(id) && !listed.includes(id),
      );
      expect(unlisted.length).toBeGreaterThan(0);
      const others = await Promise.all(unlisted.map((token) => slope(token, position)));
      expect(best).toBeGreaterThanOrEqual(last - 0.02 * Math.abs(best));
      for (const other of others) expect(last).toBeGreaterThan(other - 0.02 * Math.abs(best));
    }
  });
});
