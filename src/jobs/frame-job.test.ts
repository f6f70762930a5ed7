/** Jobs whose texts stand in a frame: against the same tokens as one text, and every search against scores. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../test/helpers/compare.js';
import { byteLevel, chatMl, tinyModel } from '../../test/helpers/tiny-tokenizers.js';
import { finishRun, type RunEvent } from '../runs/events.js';
import { readRun } from '../runs/read-run.js';
import { createJobFolder, openJob, resumeRun, runJob } from './job.js';
import type { JobRequest, TaskName } from './tasks.js';

const root = mkdtempSync(join(tmpdir(), 'superstim-frame-'));
const model = tinyModel(root, byteLevel(chatMl.special), {
  bos_token: '<|endoftext|>',
  chat_template: chatMl.template,
});
const natural = join(root, 'natural.txt');
writeFileSync(natural, 'in the thing, thin tin; then in it. '.repeat(40));
beforeAll(() => {
  process.env.SUPERSTIM_CACHE = join(root, 'cache');
});
afterAll(() => rmSync(root, { recursive: true }));

async function run<T extends TaskName>(
  task: T,
  fields: Omit<JobRequest<T>, 'task'>,
  parent: string | null = null,
) {
  const events: RunEvent[] = [];
  const opened = await finishRun(openJob<T>({ task, ...fields }));
  const folder = parent === null ? null : createJobFolder(opened, parent);
  const signal = new AbortController().signal;
  const result = await finishRun(runJob(opened, folder, signal), (event) => events.push(event));
  return { result, events, folder };
}

const probe = { model, calibrationTokens: 512 } as const;
const score = async (fields: Partial<JobRequest<'score'>>) =>
  (await run('score', { ...probe, units: ['L1.H2', 'L1.N3'], text: ' in the', ...fields })).result;

describe('score in a frame', () => {
  it('has the values of the same tokens in one text, at the positions of the text', async () => {
    const raw = { raw: true, measure: 'raw' } as const;
    const whole = await score({ ...raw, text: 'so q in the, so' });
    const framed = await score({ ...raw, prefix: 'so q', suffix: ', so', at: 'last' });
    const lead = whole.tokens.length - framed.tokens.length;
    expect(lead).toBe(4); // "<|endoftext|>so q" less the q at position 0
    expect(framed.token_ids).toEqual(whole.token_ids.slice(lead));
    for (const [i, unit] of framed.units.entries())
      expect(relativeError(unit.raw, whole.units[i]!.raw.slice(lead))).toBeLessThan(1e-4);
    const counted = framed.logprobs.flatMap((x) => x ?? []);
    const text = whole.logprobs.slice(lead + 1, lead + 1 + counted.length) as number[];
    expect(relativeError(counted, text)).toBeLessThan(1e-4);
    expect(framed.cross_entropy).toBeCloseTo(-text.reduce((a, b) => a + b) / text.length, 4);
    expect(framed.logprobs.at(-1)).toBeNull();
    expect(framed.frame.before).toEqual(['<|endoftext|>', 's', 'o', ' ', 'q']);
    expect(framed.frame.after).toEqual([',', ' ', 's', 'o']);
  });

  it('counts z over texts behind the same prefix, and keeps what it counted under it', async () => {
    const cached = async (prefix: string) =>
      (await run('calibrate', { ...probe, units: ['L1.N3'], prefix })).result.units[0]!;
    const first = await cached('the q');
    expect(first.cached).toBe(false);
    const other = await cached('in');
    expect([other.cached, other.mean === first.mean]).toEqual([false, false]);
    expect(await cached('the q')).toEqual({ ...first, cached: true });
    const z = (await score({ prefix: 'the q' })).units[1]!;
    expect(z.z[1]).toBeCloseTo((z.raw[1]! - first.mean) / first.standard_deviation, 3);
  });

  it('is what an explanation is of', async () => {
    const frame = { chat: 'user', suffix: '?', at: 'last' } as const;
    const { result } = await run('explain', {
      ...probe,
      ...frame,
      unit: 'L1.H2',
      text: ' in the',
      ablate: true,
    });
    const { units, ...scored } = await score({ ...frame, ablate: true });
    expect(result.token_ids).toEqual(scored.token_ids);
    expect(result.cross_entropy).toBeCloseTo(scored.cross_entropy, 4);
    expect(result.score).toBeCloseTo(units[0]!.z.at(-1)!, 3);
    expect(result.margin).toBeCloseTo(units[0]!.margin!, 3);
    expect(relativeError(result.ablation!, units[0]!.ablation!)).toBeLessThan(1e-3);
    // What stands behind the text is fixed.
    expect(result.substitutions.map((all) => all.length > 0)).toEqual(
      result.logprobs.map((logProb) => logProb !== null),
    );
  });

  it('warns where text and frame would be tokenized otherwise as one', async () => {
    const warnings = async (text: string) =>
      (await run('score', { ...probe, units: ['L0.N1'], raw: true, prefix: 'in t', text })).events.filter(
        ({ kind }) => kind === 'warning',
      );
    expect(await warnings('in')).toEqual([]);
    expect(await warnings('he')).toMatchObject([{ message: /tokenized apart/ }]);
  });
});

describe('a search in a frame', () => {
  const frame = { chat: 'user', prefix: 'say', at: 'last' } as const;
  it.each(['auto', 'gcg', 'soft', 'sample', 'corpus'] as const)(
    '%s finds what a score of the same text confirms',
    async (method) => {
      const { result, folder } = await run(
        'text',
        {
          ...probe,
          ...frame,
          unit: 'L1.H2',
          method,
          length: 4,
          evaluations: 48,
          baseline: false,
          finalists: 1,
          ...(method === 'corpus' && { naturalText: [natural] }),
        },
        mkdirFor(method),
      );
      const best = result.frontier.at(-1)!;
      const found = await score({ ...frame, text: best.text, units: ['L1.H2'] });
      expect(found.token_ids.slice(1, 5)).toEqual(best.token_ids);
      expect(found.units[0]!.z.at(-1)).toBeCloseTo(best.z, 2);
      expect(found.units[0]!.margin!).toBeCloseTo(best.margin!, 2);
      expect(found.cross_entropy).toBeCloseTo(best.cross_entropy, 3);
      expect(result.frame).toEqual(found.frame);
      expect(result.frame.after.join('')).toBe('<|im_end|>\n<|im_start|>assistant\n');
      const { job, model: recorded } = readRun(folder!.path).description!;
      expect(job).toMatchObject({ ...frame, suffix: '', bos: 'auto' });
      expect(recorded!.frame).toEqual(result.frame);
    },
  );

  it('says how much of the context is its own where a text does not fit', async () => {
    const sentence = /context of 40 tokens, 7 of which stand around the text/;
    const fields = { ...probe, unit: 'L1.N3', prefix: 'so q', suffix: 'so', at: 'last', length: 40 } as const;
    await expect(run('text', { ...fields, evaluations: 8 })).rejects.toThrow(sentence);
    await expect(run('corpus', { ...fields, files: [natural] })).rejects.toThrow(sentence);
    await expect(run('tune', { ...fields, steps: 1, batch: 2 })).rejects.toThrow(sentence);
    const { length: _, unit: __, ...scored } = fields;
    await expect(score({ ...scored, text: 'so '.repeat(40) })).rejects.toThrow(sentence);
  });

  it('is resumed in it', async () => {
    const request = { ...probe, prefix: 'so q', unit: 'L1.N3', length: 3, baseline: false };
    const { folder, result } = await run('text', { ...request, evaluations: 32 }, mkdirFor('resumed'));
    const {
      folder: again,
      earlier,
      ...opened
    } = await finishRun(resumeRun(folder!.path, { evaluations: 32 }));
    const more = await finishRun(runJob(opened, again, undefined, earlier));
    expect(result.frame.before).toEqual(['<|endoftext|>', ...'so q']);
    expect(more).toMatchObject({ frame: result.frame });
  });

  it('of a corpus, and tuning', async () => {
    const scan = await run('corpus', { ...probe, prefix: 'q', unit: 'L1.H2', files: [natural], length: 5 });
    const [best] = scan.result.top;
    const found = await score({ prefix: 'q', text: best!.text, units: ['L1.H2'] });
    expect(found.units[0]!.peak.z).toBeCloseTo(best!.z, 2);
    expect(found.cross_entropy).toBeCloseTo(best!.cross_entropy, 3);
    const tuning = { prefix: 'q', unit: 'L1.H2', length: 3, steps: 2, batch: 4, beta: 1 };
    const tuned = await run('tune', { ...probe, ...tuning });
    const text = tuned.result.frontier[0]!;
    const again = await score({ prefix: 'q', text: text.text, units: ['L1.H2'] });
    expect(again.units[0]!.peak.z).toBeCloseTo(text.z, 2);
    expect(again.cross_entropy).toBeCloseTo(text.cross_entropy, 3);
  });
});

function mkdirFor(name: string): string {
  const folder = join(root, `runs ${name}`);
  mkdirSync(folder);
  return folder;
}
