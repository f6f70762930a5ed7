import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deviceTrouble } from '../engine/compile.js';
import { deviceNames } from '../engine/engine-names.js';
import { finishRun } from '../runs/events.js';
import { readRun } from '../runs/read-run.js';
import { deviceOf, engineOf } from './device.js';
import { createJobFolder, openJob, resumeRun } from './job.js';
import { recordedSession } from './recorded-session.js';

const trouble = await deviceTrouble('webgpu');
const there = trouble === null ? 'webgpu' : 'cpu';

it('asks for a device that is there', async () => {
  expect(await deviceOf({ engine: 'onnx', device: 'auto' })).toBe(there);
  expect(await engineOf({ engine: 'onnx', device: 'auto' })).toBe(trouble === null ? 'onnx:webgpu' : 'onnx');
  expect(await engineOf({ engine: 'cpu', device: 'auto' })).toBe('cpu');
  const asked = engineOf({ engine: 'onnx', device: 'webgpu' });
  await (trouble === null
    ? expect(asked).resolves.toBe('onnx:webgpu')
    : expect(asked).rejects.toThrow(trouble));
  await expect(engineOf({ engine: 'cpu', device: 'webgpu' })).rejects.toThrow(
    'the engine cpu computes on the cpu only: leave out `device` webgpu, or use `engine` onnx',
  );
});

it('is kept with the job, and can be another when the run is resumed', async () => {
  const place = mkdtempSync(join(tmpdir(), 'device-'));
  const job = { task: 'text', unit: 'L0.H0', evaluations: 10, reference: 'none', device: 'auto' };
  try {
    const folder = createJobFolder(await finishRun(openJob(job)), place);
    folder.close();
    const { description } = readRun(folder.path);
    expect(description!.job.device).toBe(there);
    const resumed = await finishRun(resumeRun(folder.path, {}, { device: 'cpu' }));
    resumed.folder.close();
    expect(resumed.job.device).toBe('cpu');
    const elsewhere = { ...description!, job: { ...description!.job, device: 'webgpu' } };
    expect((await recordedSession(elsewhere)).engine).toBe('onnx');
  } finally {
    rmSync(place, { recursive: true });
  }
});

it('the glossary lists the devices', () => {
  const glossary = readFileSync(new URL('../../docs/glossary.md', import.meta.url), 'utf8');
  const listed = deviceNames.map((name) => `\`${name}\``).join(', ');
  expect(glossary).toContain(`| device | where: ${listed} |`);
});
