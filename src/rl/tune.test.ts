/** Tuning the embedded model, as a library function. */
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveLocal } from '../hub/resolve-model.js';
import { finishRun, type RunEvent } from '../runs/events.js';
import { loadTextModel, type TextModel } from '../text/lm/model.js';
import { openSubject } from '../text/lm/subject.js';
import { Probe } from '../text/readouts/probe.js';
import { calibrate, resolveUnits, type Session } from '../text/readouts/session.js';
import { Reward } from './reward.js';
import { tune } from './tune.js';

let model: TextModel;
let session: Session;
beforeAll(async () => {
  model = await loadTextModel(resolveLocal('books-lm')!.folder);
  session = { model, engine: 'onnx', measure: 'delta', at: 'max', reference: 'layer', seed: 0 };
});

describe('Reward', () => {
  it('is the same when a subject reads the text with a tokenizer of its own', async () => {
    const plan = resolveUnits('L1.H3', session);
    const calibration = await finishRun(calibrate(session));
    const { tokenizer } = model;
    const subject = openSubject(model, 'onnx');
    const probe = await Probe.create({ ...plan, subject, at: 'max', calibration });
    const ids = ['What do you mean?', 'He went home to bed.'].map((text) => [...tokenizer.encode(text)]);
    const positions = Math.min(...ids.map(({ length }) => length));
    const rows = Int32Array.from(ids.flatMap((row) => row.slice(0, positions)));
    const of = (writer: TextModel) =>
      new Reward({ probe, subject: model, writer, positions, batch: 4, selectivity: 1 }).of(rows);
    const [own, foreign] = [await of(model), await of({ ...model, folder: 'another' })];
    expect(own.texts).not.toContain(null);
    expect(own.reward[0]).not.toBeCloseTo(own.reward[1]!, 2);
    for (const [row, reward] of own.reward.entries()) {
      expect(foreign.reward[row]).toBeCloseTo(reward, 4);
      expect(reward).toBeCloseTo(own.texts[row]!.margin!, 4);
    }
    await probe.dispose();
  });
});

describe('tune', () => {
  const run = async (learningRate: number) => {
    const events: RunEvent[] = [];
    const result = await finishRun(
      tune({
        ...session,
        unit: 'L1.H3',
        steps: 12,
        batch: 32,
        length: 4,
        learningRate,
        weightDecay: 0,
        clipNorm: 10,
        beta: 0,
        selectivity: 0,
        checkpointEvery: 100,
        lora: { rank: 4, alpha: 32, targets: ['all-linear'] },
        gradient: { baseline: 'loo', kl: 'k1', scaled: false },
      }),
      (event) => events.push(event),
    );
    return { result, warnings: events.filter((event) => event.kind === 'warning') };
  };

  it('warns once when the samples become one, and not before', async () => {
    const { result, warnings } = await run(0.3);
    expect(result.samples!.unique).toBeLessThan(0.5);
    expect(warnings).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/the policy (has collapsed|is collapsing)/) }),
    ]);
    expect((await run(1e-6)).warnings).toEqual([]);
  }, 60_000);
});
