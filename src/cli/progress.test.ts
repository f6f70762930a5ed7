import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeStreams } from '../../test/fake-streams.js';
import type { ScoredText } from '../core/scored-text.js';
import { textWidth } from '../core/text-width.js';
import { finishRun, type ProgressEvent, type Run, type RunEvent } from '../runs/events.js';
import { Output } from './output.js';
import { showProgress } from './progress.js';
import { advance, formatProgress, noProgress } from './progress-line.js';

const progress: ProgressEvent = {
  kind: 'progress',
  source: 'search',
  at: 3,
  budget: 'evaluations',
  done: 8432,
  total: 20000,
  rate: 1510.4,
  rate_unit: 'evaluations',
  seconds_left: 7.6,
};
const scored: ScoredText = {
  text: 'Once upon a time,\nthere was a little girl named Lily. She loved to play outside.',
  token_ids: [1],
  cross_entropy: 3.4126,
  raw: 1,
  z: 14.21,
  margin: 2,
  rank: 1,
};
const candidate = (z: number): RunEvent => ({
  kind: 'candidate',
  source: 'search',
  at: 1,
  candidate: { ...scored, z },
  operator: 'swap',
});

describe('formatProgress', () => {
  it('tells what, how far, how fast, how long, and the best so far', () => {
    const state = { ...noProgress, label: 'L2.H3', progress, best: scored };
    expect(formatProgress(state, 160)).toBe(
      'L2.H3  ████████░░░░░░░░░░░░ 42 %  8,432/20,000 evaluations  1,510/s  8 s left  ' +
        'best z 14.2 at 3.41 nats  "Once upon a time,⏎there was a little girl named Lily…"',
    );
  });

  it('leaves out from the end what does not fit', () => {
    const state = { ...noProgress, label: 'L2.H3', progress, best: scored };
    expect(formatProgress(state, 79)).toBe(
      'L2.H3  ████████░░░░░░░░░░░░ 42 %  8,432/20,000 evaluations  1,510/s  8 s left',
    );
    fc.assert(
      fc.property(fc.nat({ max: 200 }), (columns) => {
        expect(textWidth(formatProgress(state, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('shows bytes, seconds and an unknown end', () => {
    const bytes = {
      ...progress,
      budget: 'bytes',
      rate_unit: 'bytes',
      done: 12e6,
      total: 548e6,
      rate: 2.31e6,
    };
    expect(formatProgress({ ...noProgress, progress: bytes }, 120)).toContain('12 MB of 548 MB  2.31 MB/s');
    const seconds = { ...progress, budget: 'seconds', done: 3.2, total: 15 };
    expect(formatProgress({ ...noProgress, progress: seconds }, 120)).toContain(
      '3/15 s  1,510 evaluations/s',
    );
    const endless = { ...progress, total: null, rate: null, seconds_left: null, note: 'sampling' };
    expect(formatProgress({ ...noProgress, progress: endless }, 120)).toBe('sampling  8,432 evaluations');
  });
});

describe('advance', () => {
  it('keeps the strongest candidate', () => {
    const state = [candidate(3), candidate(9), candidate(5)].reduce(advance, noProgress);
    expect(state.best?.z).toBe(9);
  });
});

describe('showProgress', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Ten seconds of a search, an event each 10 ms. */
  async function* search(): Run<string> {
    for (let done = 0; done < 1000; done++) {
      vi.advanceTimersByTime(10);
      yield { ...progress, done };
      if (done === 500) yield { kind: 'warning', at: 5, message: 'the corpus is short' };
    }
    return 'result';
  }

  async function watch(run: Run<string>, setting: Parameters<typeof fakeStreams>[0], options = {}) {
    const { written, streams } = fakeStreams(setting);
    const shown = showProgress(run, new Output({ color: false, ...options }, streams));
    let count = 0;
    const result = await finishRun(shown, () => count++);
    return { written, count, result };
  }

  it('draws at most ten times a second, passes everything on and leaves a clean line', async () => {
    const { written, count, result } = await watch(search(), { tty: true });
    expect([count, result]).toEqual([1001, 'result']);
    expect(written.stdout).toBe('');
    const drawings =
      written.stderr.split('█').length > 1 ? (written.stderr.match(/ evaluations/g) ?? []).length : 0;
    expect(drawings).toBeGreaterThan(90);
    expect(drawings).toBeLessThanOrEqual(101);
    expect(written.stderr.endsWith('\r\x1b[2K')).toBe(true);
    expect(written.stderr).toContain('\r\x1b[2Kwarning: the corpus is short\n');
  });

  it('writes warnings and nothing else off a terminal', async () => {
    expect((await watch(search(), { tty: false })).written.stderr).toBe('warning: the corpus is short\n');
    expect((await watch(search(), { tty: true }, { quiet: true })).written.stderr).toBe(
      'warning: the corpus is short\n',
    );
  });

  it('leaves a clean line when the run fails', async () => {
    async function* failing(): Run<string> {
      yield progress;
      throw new Error('broken');
    }
    const { written, streams } = fakeStreams({ tty: true });
    const shown = showProgress(failing(), new Output({}, streams));
    await shown.next();
    await expect(shown.next()).rejects.toThrow('broken');
    expect(written.stderr.endsWith('\r\x1b[2K')).toBe(true);
  });

  it('stops the run when its reader stops', async () => {
    let stopped = false;
    async function* endless(): Run<string> {
      try {
        for (;;) yield progress;
      } finally {
        stopped = true;
      }
    }
    for await (const _ of showProgress(endless(), new Output({}, fakeStreams().streams))) break;
    expect(stopped).toBe(true);
  });
});
