import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { finishRun } from '../runs/events.js';
import { createJobFolder, openJob, resumeRun, runJob } from './job.js';
import type { ResultOf } from './tasks.js';

const parent = mkdtempSync(join(tmpdir(), 'superstim-image-job-'));
afterAll(() => rmSync(parent, { recursive: true }));

const job = {
  task: 'image',
  model: 'tiny-vgg',
  units: ['block1_conv1:1', 'block2_conv1:2'],
  steps: 9,
  size: '60x48',
  octaves: 2,
  seed: 4,
  animation: join(parent, 'all.gif'),
} as const;

/** Runs until so many steps were taken, then stops as Ctrl-C does, or as a kill does: with nothing more written. */
async function begin(steps: number, how: 'stop' | 'kill'): Promise<string> {
  const opened = await finishRun(openJob<'image'>(job));
  const folder = createJobFolder(opened, parent);
  const stopping = new AbortController();
  let seen = 0;
  for await (const event of runJob(opened, folder, stopping.signal)) {
    if (event.kind !== 'step' || ++seen < steps) continue;
    if (how === 'kill') break;
    stopping.abort();
  }
  return folder.path;
}

async function resume(path: string) {
  const resumed = await finishRun(resumeRun(path));
  const run = runJob(resumed, resumed.folder, undefined, resumed.earlier);
  return (await finishRun(run)) as ResultOf<'image'>;
}

describe('an image run that is resumed', () => {
  it.each(['stop', 'kill'] as const)('ends with the picture of one that was not: after a %s', async (how) => {
    const opened = await finishRun(openJob<'image'>(job));
    const whole = await finishRun(runJob(opened, createJobFolder(opened, parent)));
    const gif = join(parent, 'whole.gif');
    copyFileSync(job.animation, gif);
    const path = await begin(6, how);
    expect(existsSync(join(path, 'checkpoint.safetensors'))).toBe(true);
    const resumed = await resume(path);
    expect(resumed.units).toEqual(whole.units);
    expect(readFileSync(resumed.image!)).toEqual(readFileSync(whole.image!));
    if (how === 'kill') expect(readFileSync(job.animation)).toEqual(readFileSync(gif));
    await expect(resume(path)).rejects.toThrow('is finished: there is nothing left to do');
  });

  it('begins anew when it was stopped before its first checkpoint', async () => {
    const opened = await finishRun(openJob<'image'>({ ...job, steps: 2, octaves: 1 }));
    const folder = createJobFolder(opened, parent);
    folder.close();
    expect((await resume(folder.path)).units[0]!.activation.curve).toHaveLength(2);
  });
});

it('has the proportions of the picture that it starts from, as it is shown', async () => {
  const start = join(parent, 'photograph.jpg');
  const blank = { width: 60, height: 240, channels: 3 as const, background: '#406080' };
  await sharp({ create: blank }).withMetadata({ orientation: 6 }).toFile(start);
  const opened = await finishRun(openJob<'image'>({ ...job, start, size: null, steps: 1, animation: null }));
  const { units } = await finishRun(runJob(opened, null));
  expect([units[0]!.picture.width, units[0]!.picture.height]).toEqual([256, 64]);
});

it('names files absolutely, also those that are yet to be written', async () => {
  const files = { model: 'models/tiny-vgg', image: 'new.png', animation: 'new.gif', examples: 'models' };
  const opened = await finishRun(openJob<'image'>({ ...job, ...files }));
  expect(opened.job).toMatchObject({
    ...Object.fromEntries(Object.entries(files).map(([field, file]) => [field, resolve(file)])),
    start: 'noise',
  });
});
