/** Tasks on the device webgpu; skipped where there is no adapter. Training on it is tested in webgpu.test.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../test/helpers/compare.js';
import { byteLevel, tinyModel } from '../../test/helpers/tiny-tokenizers.js';
import { webgpu } from '../../test/helpers/webgpu.js';
import { writeTinyModel } from '../../test/vision/tiny-network.js';
import type { Device } from '../engine/engine-names.js';
import { finishRun } from '../runs/events.js';
import { createJobFolder, openJob, runJob } from './job.js';

const root = mkdtempSync(join(tmpdir(), 'webgpu-'));
process.env.SUPERSTIM_CACHE = join(root, 'cache');
afterAll(() => rmSync(root, { recursive: true }));

const about = {
  model: tinyModel(root, byteLevel(['<s>']), { bos_token: '<s>' }),
  calibrationTokens: 512,
};
const search = {
  ...about,
  task: 'text',
  unit: 'L1.H1',
  length: 3,
  finalists: 0,
  reference: 'none',
  baseline: false,
};

const found = { frontier: expect.arrayContaining([expect.objectContaining({ z: expect.any(Number) })]) };
const jobs: Record<string, [job: object, result: object]> = {
  'text by auto': [{ ...search, method: 'auto', evaluations: 8 }, found],
  'text by soft': [{ ...search, method: 'soft', evaluations: 60 }, found],
};

async function result(job: object, device: Device): Promise<object> {
  const opened = await finishRun(openJob({ ...job, device }));
  const folder = opened.keeps ? createJobFolder(opened, join(root, 'runs')) : null;
  return finishRun(runJob(opened, folder));
}

describe.skipIf(webgpu.skipped !== null)(`webgpu${webgpu.skipped ? ` (${webgpu.skipped})` : ''}`, () => {
  it('scores as the cpu does', async () => {
    const job = { ...about, task: 'score', text: 'What', units: ['L0.H1', 'L1.N2'], raw: true };
    const [there, here] = (await Promise.all([result(job, 'webgpu'), result(job, 'cpu')])) as ScoredUnits[];
    for (const [i, { raw }] of here!.units.entries())
      expect(relativeError(there!.units[i]!.raw, raw)).toBeLessThan(1e-3);
  });

  it.each(Object.entries(jobs))('computes %s', async (_name, [job, expected]) => {
    expect(await result(job, 'webgpu')).toMatchObject(expected);
  });

  it('draws as the cpu does', async () => {
    const cnn = writeTinyModel(join(root, 'cnn'));
    const job = { task: 'image', model: cnn, units: ['two:1'], steps: 4, size: 32 };
    const [there, here] = [await result(job, 'webgpu'), await result(job, 'cpu')] as Drawn[];
    expect(relativeError(there!.activation.curve, here!.activation.curve)).toBeLessThan(1e-3);
  });
});

interface ScoredUnits {
  readonly units: readonly { readonly raw: readonly number[] }[];
}
interface Drawn {
  readonly activation: { readonly curve: readonly number[] };
}
