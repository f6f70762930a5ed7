import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../core/errors.js';
import * as tf from '../engine/functions/tfjs.js';
import { embeddedFolder } from '../hub/embedded.js';
import { openJob, runJob } from '../jobs/job.js';
import { finishRun } from '../runs/events.js';
import { readRun } from '../runs/read-run.js';
import { openSubject } from '../text/lm/subject.js';
import { openExplainer } from '../text/readouts/explain.js';
import { layerObjective } from '../vision/objectives/expression.js';
import { openModel } from './language-model.js';
import { openNetwork } from './network.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-library-'));
afterAll(() => rmSync(place, { recursive: true }));

/** A copy of an embedded model whose description goes once it is open: who loads it again fails. */
async function openOnce<Opened>(
  name: string,
  description: string,
  open: (folder: string) => PromiseLike<Opened>,
) {
  const folder = join(place, name);
  cpSync(join(embeddedFolder, name), folder, { recursive: true });
  const opened = await open(folder);
  rmSync(join(folder, description));
  return opened;
}

const lm = await openOnce('books-lm', 'config.json', openModel);
const net = await openOnce('tiny-vgg', 'model.json', openNetwork);

describe('openModel', () => {
  it('scores with the defaults of the command line', async () => {
    const { units } = await lm.score('What does it mean?', ['L2.H5', 'L2.N100']);
    expect(units[0]!.peak.z).toBeCloseTo(4.64, 2);
    expect(units[0]!.margin).toBeCloseTo(1.12, 2);
    const last = await lm.score('What does it mean?', 'L2.H5', { at: 'last' });
    expect(last.units[0]!.margin).not.toBeCloseTo(1.12, 2);
  });

  it('searches as the job does: the same texts, and no folder unless asked', async () => {
    const fields = { evaluations: 64, baseline: false, finalists: 0 };
    const job = { task: 'text', unit: 'L2.H5', ...fields } as const;
    const byJob = await finishRun(runJob(await finishRun(openJob<'text'>(job)), null));
    const search = lm.search('L2.H5', { ...fields, out: join(place, 'runs') });
    const kinds = new Set<string>();
    for await (const { kind } of search) kinds.add(kind);
    const found = await search.result;
    expect(found.frontier).toEqual(byJob.frontier);
    expect([...kinds].sort()).toEqual(['calibrated', 'candidate', 'finished', 'progress', 'started']);
    const { state, description } = readRun(found.run!);
    expect([state, description!.job.length, description!.job.model]).toEqual([
      'done',
      12,
      join(place, 'books-lm'),
    ]);
    const unkept = await lm.search('L2.H5', { ...fields, evaluations: 20 });
    expect(unkept.run).toBeUndefined();
    expect(readdirSync(join(place, 'runs'))).toHaveLength(1);
  });

  it('stops at a signal with what was found', async () => {
    const stopping = new AbortController();
    const search = lm.search('L2.H5', {
      seconds: 60,
      baseline: false,
      finalists: 0,
      signal: stopping.signal,
    });
    for await (const { kind } of search) if (kind === 'candidate') stopping.abort();
    expect((await search.result).frontier.length).toBeGreaterThan(0);
  });

  it('explains and calibrates', async () => {
    const explanation = await lm.explain('What does it mean?', 'L2.H5', { replacements: 1 });
    expect(explanation.substitutions[1]).toHaveLength(1);
    expect(explanation.margin).toBeCloseTo(1.12, 2);
    const { units } = await lm.calibrate('L2.H5');
    expect(units[0]!.standard_deviation).toBeGreaterThan(0);
  });

  it('searches for many units at once', async () => {
    const { units, run } = await lm.atlas('L1.H0-1', { evaluations: 60, length: 4 });
    expect(units.map(({ unit }) => unit)).toEqual(['L1.H0', 'L1.H1']);
    expect([typeof units[0]!.text, run]).toEqual(['string', undefined]);
  });

  it('hands a session to the functions of superstimulus/text', async () => {
    const session = await lm.session({ at: 'last' });
    expect(openSubject(session.model, session.engine)).toBe(session.model);
    expect(openSubject(session.model, 'tensorflow').engine).toBe('tensorflow');
    const { explainer, dispose } = await finishRun(openExplainer({ ...session, unit: 'L2.H5' }));
    const { margin } = await explainer.explain('What does it mean?');
    expect(margin).toBeCloseTo(
      (await lm.score('What does it mean?', 'L2.H5', { at: 'last' })).units[0]!.margin!,
      4,
    );
    await dispose();
    await expect(lm.session({ unit: 'L2.H5' } as never)).rejects.toThrow(/no field "unit"/);
  });

  it('names the option that is wrong', async () => {
    const misspelt = { lenght: 3 } as never;
    await expect(lm.search('L2.H5', misspelt)).rejects.toThrow(/"lenght"; did you mean `length`/);
    await expect(lm.search('L2.H5', { unit: 'L0.H0' } as never)).rejects.toThrow(/`unit` is no option/);
    await expect(lm.score('a', 'L0.H0', { out: 'a' } as never)).rejects.toThrow(/`out`: score writes no/);
    await expect(lm.score('a', 'L9.H0')).rejects.toBeInstanceOf(UsageError);
  });
});

describe('openNetwork', () => {
  const small = { steps: 2, size: 32, transforms: 'none' } as const;

  it('renders a unit, and writes only what is named', async () => {
    const { units, image, run } = await net.render('block3_conv2:4', small);
    expect([units[0]!.unit, units[0]!.picture.width, image, run]).toEqual([
      'block3_conv2:4',
      32,
      null,
      undefined,
    ]);
    const kept = await net.render('block3_conv2:4', { ...small, out: join(place, 'pictures') });
    expect(readRun(kept.run!).state).toBe('done');
    expect([kept.image, kept.pictures]).toEqual([join(kept.run!, 'picture.png'), null]);
    const both = await net.render('block3_conv2:4-5', { ...small, out: join(place, 'pictures') });
    expect(both.pictures).toEqual(['pictures/000000.png', 'pictures/000001.png']);
    expect(both.pictures!.every((name) => existsSync(join(both.run!, name)))).toBe(true);
  });

  it('takes a function of a layer, which is the same as the expression that says it', async () => {
    const channel = layerObjective('block3_conv2', (activations) =>
      tf.mean(tf.gather(activations, tf.tensor1d([4], 'int32'), 2)),
    );
    const [written] = (await net.render(channel, small)).units;
    const [said] = (await net.render('block3_conv2:4', small)).units;
    expect(written!.activation.start).toBeCloseTo(said!.activation.start, 5);
    expect(written!.activation.final).toBeCloseTo(said!.activation.final, 4);
  });

  it('refuses functions of one name, and those that do not make one number', async () => {
    const mean = layerObjective('block3_conv2', (activations) => tf.mean(activations));
    const most = layerObjective('block3_conv2', (activations) => tf.max(activations));
    await expect(net.render([mean, most], small)).rejects.toThrow(/give each function a name of its own/);
    const all = layerObjective('block3_conv2', (activations) => activations, 'all');
    await expect(net.render(all, small)).rejects.toThrow(/"all\(block3_conv2\)" made a tensor of shape/);
  });
});
