import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { UsageError } from '../core/errors.js';
import { decodeDescription, encodeDescription } from '../runs/description.js';
import { fromOldJob } from './old-jobs.js';
import { readJob } from './read-job.js';
import { jobSchemas, type ResultOf, type TaskReading } from './tasks.js';

const complaint = (data: unknown): string => {
  try {
    readJob(data);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'no complaint';
};

describe('readJob', () => {
  it('fills in what the command line fills in', () => {
    expect(readJob({ task: 'text', unit: 'L2.H5' })).toMatchObject({
      model: 'books-lm',
      method: 'auto',
      length: 12,
      seconds: 20,
      reference: 'layer',
      seed: 0,
    });
    expect(readJob({ task: 'text', unit: 'L2.H5', evaluations: 9 })).not.toHaveProperty('seconds');
  });

  it('names the field that is wrong, and the one that was meant', () => {
    const search = { task: 'text', unit: 'L2.H5' };
    expect(complaint(3)).toContain('a job is an object');
    expect(complaint({})).toContain(
      '`task` must be one of score, explain, text, image, tune, corpus, calibrate',
    );
    expect(complaint({ task: 'constructor' })).toContain('not "constructor"');
    expect(complaint({ ...search, evalutions: 3 })).toBe(
      'a job of this task has no field "evalutions"; did you mean `evaluations`?',
    );
    expect(complaint({ task: 'text' })).toMatch(/^`unit`: /);
    expect(complaint({ ...search, length: 0 })).toMatch(/^`length`: .*>=1/);
    expect(complaint({ ...search, seconds: 1, evaluations: 1 })).toMatch(/^`evaluations`: is given beside/);
    expect(complaint({ ...search, measure: 'loud' })).toMatch(/^`measure`: must be delta/);
    expect(complaint({ task: 'score', text: 'a', units: ['L0.H0', ''] })).toMatch(/^`units` \(entry 1\): /);
    const listOf = (count: number) =>
      Array(count)
        .fill(`sae:${'folder/'.repeat(15)}dictionary#12345`)
        .join(', ');
    expect(readJob({ ...search, reference: listOf(2048) })).toMatchObject({ reference: listOf(2048) });
    expect(complaint({ ...search, reference: listOf(4096) })).toBe(
      '`reference`: has 520190 characters, at most 262144 are read: give fewer names, or a class such as layer or random:64',
    );
    expect(complaint({ task: 'tune', unit: 'L0.H0', rank: 100_000 })).toMatch(/^`rank`: .*<=4096/);
  });

  it('reads sizes of pictures: a side, or the width and the height', () => {
    const image = { task: 'image', units: ['a:1'] };
    for (const size of [64, '64', '320x200', null])
      expect(readJob({ ...image, size })).toMatchObject({ size });
    for (const size of [8, 64.5, '320x8', '320*200', 'x200', '320x200x3', [320, 200]])
      expect(complaint({ ...image, size })).toMatch(/^`size`: /);
    expect(complaint({ ...image, size: '320x8' })).toBe(
      '`size`: must be 16 to 2048 pixels, or a width and a height such as 320x200',
    );
  });

  it("takes the model from a unit's Neuronpedia name", () => {
    const score = { task: 'score', text: 'a', units: ['L1.H1', 'gpt2-small/3-res-jb/5'] };
    expect(readJob(score)).toMatchObject({ model: 'openai-community/gpt2' });
    expect(
      readJob({ task: 'text', unit: 'L1.H1', reference: 'L1.H2, qwen3-4b/2-transcoder-hp/7' }),
    ).toMatchObject({ model: 'Qwen/Qwen3-4B' });
    for (const model of ['openai-community/gpt2', 'somebody/gpt2@v1', 'src'])
      expect(readJob({ ...score, model })).toMatchObject({ model });
    expect(complaint({ ...score, model: 'books-lm' })).toBe(
      'gpt2-small/3-res-jb/5 is of openai-community/gpt2, not of books-lm: leave `model` out, or give a folder with that model',
    );
    expect(complaint({ ...score, reference: 'qwen3-4b/2-transcoder-hp/7' })).toContain(
      'must be of one model',
    );
  });

  it('gives a job or one complaint, whatever the data', () => {
    const anyJob = fc.record(
      {
        task: fc.constantFrom(...Object.keys(jobSchemas)),
        unit: fc.json(),
        seed: fc.anything(),
        length: fc.anything(),
      },
      { requiredKeys: ['task'] },
    );
    fc.assert(
      fc.property(fc.oneof(anyJob, fc.anything()), (data) => {
        expect(complaint(data)).not.toContain('\n');
      }),
    );
  });

  it('reads back what run.json keeps, and says nothing new', () => {
    const requests = [
      { task: 'score', text: 'a', units: ['L0.H0'] },
      { task: 'explain', text: 'a', unit: 'L0.H0', replacements: 0 },
      { task: 'text', unit: 'L2.H5', lambda: 2, method: 'soft', measure: 'logits: Paris', quietOn: ['b'] },
      { task: 'tune', unit: 'L2.H5', klTarget: 3 },
      { task: 'corpus', unit: 'L2.H5', files: ['a.txt'], sentences: true },
      { task: 'image', units: ['a:1', 'b:2'], range: '0..255' },
      { task: 'calibrate', units: ['L0.H0'] },
    ];
    for (const request of requests) {
      const job = readJob(request);
      const text = encodeDescription({ job: job as never, command: [], versions: {}, model: null });
      expect(readJob(fromOldJob(decodeDescription(JSON.parse(text))!))).toEqual(job);
    }
  });
});

describe('run folders of versions before jobs', () => {
  const old = (task: string, unit: string, settings: object) =>
    readJob(
      fromOldJob(
        decodeDescription({
          command: ['superstim'],
          task,
          unit,
          settings,
          seed: 3,
          versions: {},
          model: { name: 'books-lm', hash: 'abc' },
        })!,
      ),
    );

  it('are read as jobs of today', () => {
    const probe = { model: '/models/a', reference: 'all', at: 'last', engine: 'cpu' };
    expect(
      old('text', 'L1.H2', {
        ...probe,
        method: 'evolve',
        length: 8,
        evaluations: 99,
        measure: { toward: ' Paris' },
        corpus: '/a.txt',
        quietOn: ['x'],
        texts: ['/b.txt'],
        prior: null,
        policy: null,
      }),
    ).toMatchObject({
      ...probe,
      unit: 'L1.H2',
      seed: 3,
      method: 'evolve',
      length: 8,
      evaluations: 99,
      measure: 'logits: Paris',
      calibrationText: '/a.txt',
      naturalText: ['/b.txt'],
      quietOn: ['x'],
    });
    expect(
      old('corpus', 'L1.N2', { files: ['/a'], cut: { unit: 'sentence', length: 30 }, top: 5, corpus: null }),
    ).toMatchObject({ files: ['/a'], sentences: true, length: 30, top: 5, calibrationText: null });
    expect(
      old('tune', 'L1.N2', { ...probe, rate: 0.1, clip: 2, beta: 0.2, calibrateOn: '/a' }),
    ).toMatchObject({
      learningRate: 0.1,
      clipNorm: 2,
      beta: 0.2,
      calibrationText: '/a',
    });
    expect(
      old('image', 'a:1, b:2', { param: 'pixel', size: 64, start: 'black', steps: null, examples: null }),
    ).toMatchObject({
      units: ['a:1', 'b:2'],
      parameterization: 'pixel',
      size: 64,
      steps: 256,
      model: 'books-lm',
    });
  });
});

it('a result has the path of a run folder where its task keeps one', () => {
  expectTypeOf<ResultOf<'text'>>().toHaveProperty('run');
  expectTypeOf<ResultOf<'score'>>().not.toHaveProperty('run');
  expectTypeOf<TaskReading<'vision'>>().toEqualTypeOf<'image'>();
});
