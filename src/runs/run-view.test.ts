import { describe, expect, it } from 'vitest';
import { scored } from '../../test/helpers/example-runs.js';
import { extent } from '../core/evenly.js';
import type { ScoredText } from '../core/scored-text.js';
import type { ReadEvent } from './events.js';
import { emptyView, partsLeftOut, type RunView, sortCandidates } from './run-view.js';
import { advanceView } from './view-growth.js';

const candidate = (text: ScoredText, at = 1): ReadEvent => ({
  kind: 'candidate',
  source: 'search',
  at,
  candidate: text,
  operator: 'swap',
});
const texts = [
  scored('weak', 2, 1),
  scored('strong', 4, 6),
  scored('beaten', 5, 5),
  scored('fluent', 1, 0.5),
];
const started: ReadEvent = { kind: 'started', at: 0, task: 'text', unit: 'L1.H2', method: 'evolve' };
const names = (entries: readonly ScoredText[]) => entries.map(({ text }) => text);

describe('advanceView', () => {
  it('is the same however the events are cut into pieces', () => {
    const events: ReadEvent[] = [
      started,
      ...texts.map((text, i) => candidate(text, i)),
      { kind: 'baseline', at: 5, name: 'prior_best', candidate: scored('rival', 3, 2) },
      { kind: 'frame', at: 6, file: 'frames/0.png', step: 0, activation: 1 },
      {
        kind: 'step',
        source: 'search',
        at: 7,
        step: 1,
        metrics: { reward: 2 },
        samples: [scored('a sample', 3, 1)],
      },
      { kind: 'step', source: 'search', at: 8, step: 2, metrics: { reward: 3, kl: 1 } },
      { kind: 'warning', at: 9, message: 'hot' },
    ];
    const whole = advanceView(emptyView, events);
    const single = events.reduce((view, event) => advanceView(view, [event]), emptyView);
    expect(single).toEqual(whole);
    expect(names(whole.frontier)).toEqual(['fluent', 'weak', 'strong']);
    expect(names(whole.entries)).toHaveLength(4);
    expect(whole.series.get('reward')).toEqual({ steps: [1, 2], values: [2, 3], seen: 2 });
    expect(whole.samples).toEqual([{ step: 1, at: 7, texts: [scored('a sample', 3, 1)] }]);
    expect(whole.warnings).toEqual(['hot']);
    expect(whole.baselines.get('prior_best')?.text).toBe('rival');
  });

  it('shows each step of a tuning once, also where an earlier version logged some twice', () => {
    const step = (step: number, at: number): ReadEvent => ({
      kind: 'step',
      source: 'search',
      at,
      step,
      metrics: { reward: step },
      samples: [scored(`step ${step}`, 3, 1)],
    });
    const events: ReadEvent[] = [{ ...started, task: 'tune' }, ...[1, 2, 3, 4, 3, 4, 5].map(step)];
    for (const view of [
      advanceView(emptyView, events),
      events.reduce((view, event) => advanceView(view, [event]), emptyView),
    ]) {
      expect(view.series.get('reward')?.steps).toEqual([1, 2, 3, 4, 5]);
      expect(view.samples.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it('keeps what did not change, so that drawings of it can be kept', () => {
    const before = advanceView(emptyView, [started, candidate(texts[0]!)]);
    const after = advanceView(before, [{ kind: 'warning', at: 2, message: 'hot' }]);
    expect(after.entries).toBe(before.entries);
    expect(after.frontier).toBe(before.frontier);
    expect(after.series).toBe(before.series);
    expect(advanceView(after, [])).toBe(after);
  });

  it("takes the result's frontier for the last word, with what the events know of its members", () => {
    const { at: _, ...end } = { at: 0, kind: 'finished', reason: 'done' } as const;
    const result = JSON.parse(JSON.stringify({ frontier: [texts[1]] }));
    const view = advanceView(emptyView, [...texts.map((text) => candidate(text)), { ...end, at: 9, result }]);
    expect(view.frontier).toEqual([{ ...texts[1], at: 1, operator: 'swap' }]);
    const damaged = JSON.parse('{"frontier":[{"text":1}]}');
    const other = advanceView(emptyView, [
      ...texts.map((text) => candidate(text)),
      { ...end, at: 9, result: damaged },
    ]);
    expect(names(other.frontier)).toEqual(['fluent', 'weak', 'strong']);
  });

  it('opens a run again that was continued, and passes over what it does not know', () => {
    const ended = advanceView(emptyView, [started, { kind: 'failed', at: 3, message: 'no' }]);
    expect(ended.end?.kind).toBe('failed');
    expect(advanceView(ended, [{ kind: 'unknown', at: 4, event: { kind: 'hologram' } }]).end).toBeNull();
  });

  it('leaves out figures that are no numbers', () => {
    const metrics = JSON.parse('{"loss":null,"reward":1}');
    const view = advanceView(emptyView, [{ kind: 'step', source: 'search', at: 1, step: 1, metrics }]);
    expect([...view.series.keys()]).toEqual(['reward']);
  });
});

describe('advanceView of a long run', () => {
  const many = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

  it('keeps a frontier of any length whole, and of what left it a part', () => {
    // The first beat none of the others and are all beaten by the last.
    const beaten = many(105_000, (i) => candidate(scored('beaten', 5, 1 + i / 1e6), i));
    const best = many(20_000, (i) => candidate({ ...scored('b', 1 + i / 1e5, 2 + i / 1e5), margin: 2 }, i));
    const view = advanceView(emptyView, [...beaten, ...best]);
    expect(view.frontier.length).toBe(20_000);
    expect(view.seen.entries).toBe(125_000);
    expect(view.entries.length).toBeLessThan(80_000);
    expect(partsLeftOut(view)[0]).toMatch(/texts that left the frontier again are not shown/);
  });

  it('keeps a part of everything else, evenly, the ends always', () => {
    const frames = many(
      230_000,
      (i): ReadEvent => ({ kind: 'frame', at: i, file: `${i}`, step: i, activation: i }),
    );
    let view: RunView = emptyView;
    for (let i = 0; i < frames.length; i += 50_000) view = advanceView(view, frames.slice(i, i + 50_000));
    expect(view.frames).toEqual(advanceView(emptyView, frames).frames);
    const steps = view.frames.map(({ step }) => step);
    expect([steps[0], steps[1], steps[2], steps.at(-1)]).toEqual([0, 4, 8, 229_999]);
    expect(partsLeftOut(view)).toEqual(['172,499 frames are not shown: events.jsonl has them']);
  });

  it('keeps the extremes of a curve, its ends, and how long it was', () => {
    const step = (i: number): ReadEvent => {
      const reward = i === 77_777 ? 9 : i === 88_888 ? -9 : i % 5;
      return { kind: 'step', source: 'search', at: i, step: i, metrics: { reward } };
    };
    const series = advanceView(emptyView, many(150_001, step)).series.get('reward')!;
    expect(series.seen).toBe(150_001);
    expect(series.values.length).toBeLessThan(110_000);
    expect(extent(series.values)).toEqual([-9, 9]);
    expect([series.steps[0], series.steps.at(-1)]).toEqual([0, 150_000]);
  });

  it('takes a few of 200,000 warnings', () => {
    const view = advanceView(
      emptyView,
      many(200_000, (i): ReadEvent => ({ kind: 'warning', at: i, message: `w${i}` })),
    );
    expect(view.warnings).toHaveLength(1000);
    expect(partsLeftOut(view)).toEqual(['199,000 warnings are not shown: events.jsonl has them']);
  });
});

it('sortCandidates: the best first in each order', () => {
  const entries = texts.map((text, at) => ({ ...text, at, operator: '' }));
  expect(names(sortCandidates(entries, 'nats'))[0]).toBe('fluent');
  expect(names(sortCandidates(entries, 'z'))[0]).toBe('strong');
  expect(names(sortCandidates(entries, 'newest'))[0]).toBe('fluent');
});
