import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { byteLevel, tinyModel } from '../../test/helpers/tiny-tokenizers.js';
import { writeTinyModel } from '../../test/vision/tiny-network.js';
import { BrokenRun, UserError } from '../core/errors.js';
import { nonDominated } from '../core/frontier.js';
import { OnnxRuntime } from '../engine/backends/onnx-runtime.js';
import { deviceTrouble } from '../engine/compile.js';
import { deviceNames, engineOn } from '../engine/engine-names.js';
import { finishRun } from '../runs/events.js';
import { readRun } from '../runs/read-run.js';
import { deviceOf, engineOf } from './device.js';
import { createJobFolder, openJob, resumeRun, runJob } from './job.js';
import { recordedSession } from './recorded-session.js';

const place = mkdtempSync(join(tmpdir(), 'device-'));
process.env.SUPERSTIM_CACHE = join(place, 'cache');
afterAll(() => rmSync(place, { recursive: true }));

const trouble = await deviceTrouble('webgpu');
const cudaTrouble = await deviceTrouble('cuda');
const there = trouble === null ? 'webgpu' : cudaTrouble === null ? 'cuda' : 'cpu';

it('asks for a device that is there', async () => {
  expect(await deviceOf({ engine: 'onnx', device: 'auto' })).toBe(there);
  expect(await engineOf({ engine: 'onnx', device: 'auto' })).toBe(engineOn('onnx', there));
  expect(await engineOf({ engine: 'cpu', device: 'auto' })).toBe('cpu');
  const asked = engineOf({ engine: 'onnx', device: 'webgpu' });
  await (trouble === null
    ? expect(asked).resolves.toBe('onnx:webgpu')
    : expect(asked).rejects.toThrow(trouble));
  const cuda = engineOf({ engine: 'onnx', device: 'cuda' });
  await (cudaTrouble === null
    ? expect(cuda).resolves.toBe('onnx:cuda')
    : expect(cuda).rejects.toThrow('CUDA was not found for the device cuda'));
  await expect(engineOf({ engine: 'cpu', device: 'webgpu' })).rejects.toThrow(
    'the engine cpu computes on the cpu only: leave out `device` webgpu, or use `engine` onnx',
  );
});

it('is kept with the job, and can be another when the run is resumed', async () => {
  const job = { task: 'text', unit: 'L0.H0', evaluations: 10, reference: 'none', device: 'auto' };
  const folder = createJobFolder(await finishRun(openJob(job)), place);
  folder.close();
  const { description } = readRun(folder.path);
  expect(description!.job.device).toBe(there);
  const resumed = await finishRun(resumeRun(folder.path, {}, { device: 'cpu' }));
  resumed.folder.close();
  expect(resumed.job.device).toBe('cpu');
  const elsewhere = { ...description!, job: { ...description!.job, device: 'webgpu' } };
  expect((await recordedSession(elsewhere)).engine).toBe('onnx');
});

const tuning = { steps: 3, batch: 4, checkpointEvery: 1 } as const;
const corpus = join(place, 'corpus.txt');
writeFileSync(corpus, 'What did you say? Nobody came to the house. '.repeat(200));
const tiny = tinyModel(place, byteLevel(['<s>']), { bos_token: '<s>' });
const about = { model: tiny, reference: 'none', calibrationTokens: 512 } as const;
const jobs = {
  text: { ...about, task: 'text', unit: 'L0.H0', length: 4, evaluations: 400, finalists: 0, baseline: false },
  corpus: { ...about, task: 'corpus', unit: 'L0.H0', files: [corpus], length: 4 },
  atlas: { ...about, task: 'atlas', units: ['L0.H0-1'], length: 4, evaluations: 400 },
  tune: { ...about, ...tuning, task: 'tune', unit: 'L0.H0', length: 4 },
  image: { task: 'image', model: writeTinyModel(join(place, 'cnn')), units: ['two:1'], size: 32, steps: 20 },
} as const;

it.each(Object.entries(jobs))('%s keeps what it found when the device is lost', async (task, job) => {
  const opened = await finishRun(openJob(job));
  const folder = createJobFolder(opened, place);
  const lost = new UserError('the GPU was lost');
  const work = vi.spyOn(OnnxRuntime.prototype, 'run');
  const run = runJob({ ...opened, job: { ...opened.job, device: 'webgpu' } }, folder);
  const isTraining = task === 'tune' || task === 'image';
  let found = 0;
  const failed = finishRun(run, ({ kind, ...event }) => {
    found += Number(kind === 'candidate');
    const isSearching = kind === 'progress' && 'source' in event && event.source === 'search';
    const isDue = isTraining ? existsSync(join(folder.path, 'checkpoint.safetensors')) : isSearching;
    if (isDue) work.mockRejectedValue(lost);
  });
  const error = await failed.catch((error: unknown) => error);
  work.mockRestore();
  expect(error).toBeInstanceOf(BrokenRun);
  expect((error as Error).message).toBe(
    `the GPU was lost; what was found until then is kept: superstim resume ${folder.path} goes on from there (on the CPU with --device cpu)`,
  );
  const reading = readRun(folder.path);
  expect(reading.state).toBe('failed');
  expect(reading.events.at(-1)).toMatchObject({ kind: 'failed', message: 'the GPU was lost' });
  if (task === 'text' || task === 'corpus') {
    const texts = reading.events.flatMap((event) => (event.kind === 'candidate' ? [event.candidate] : []));
    expect([found, reading.frontier!.length]).toEqual([texts.length, nonDominated(texts).length]);
    expect(reading.frontier!.length).toBeGreaterThan(0);
  }
  const resumed = await finishRun(resumeRun(folder.path, {}, { device: 'cpu' }));
  await finishRun(runJob(resumed, resumed.folder, undefined, resumed.earlier));
  expect(readRun(folder.path)).toMatchObject({ state: 'done', missing: [] });
});

it('the glossary lists the devices', () => {
  const glossary = readFileSync(new URL('../../docs/glossary.md', import.meta.url), 'utf8');
  const listed = deviceNames.map((name) => `\`${name}\``).join(', ');
  expect(glossary).toContain(`| device | where: ${listed} |`);
});
