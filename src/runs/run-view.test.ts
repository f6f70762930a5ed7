import { describe, expect, it } from 'vitest';
import { scored } from '../../test/helpers/example-runs.js';
import type { ScoredText } from '../core/scored-text.js';
import { decodeEvent } from './event-codec.js';
import type { ReadEvent } from './events.js';
import { advanceView, emptyView, sortCandidates } from './run-view.js';

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
    expect(whole.series.get('reward')).toEqual({ steps: [1, 2], values: [2, 3] });
    expect(whole.samples).toEqual([{ step: 1, at: 7, texts: [scored('a sample', 3, 1)] }]);
    expect(whole.warnings).toEqual(['hot']);
    expect(whole.baselines.get('prior_best')?.text).toBe('rival');
  });

  it('shows each step of a tuning once, also where an earlier version logged some twice', () => {
    const step = (step: number, at: number): ReadEvent => ({
      ...{ kind: 'step', source: 'search', at, step, metrics: { reward: step } },
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

  it('leaves out what is not whole', () => {
    const events = [
      '{"kind":"candidate","at":1,"candidate":{"text":"half"},"operator":"swap"}',
      '{"kind":"explained","at":2,"explanation":{"text":"half","tokens":["a"]}}',
      '{"kind":"baseline","at":3,"name":"prior_best","candidate":{}}',
      '{"kind":"frame","at":4,"file":"a.png","step":1,"activation":null}',
    ].map((line) => decodeEvent(line)!);
    const view = advanceView(emptyView, events);
    expect(view).toMatchObject({ entries: [], frontier: [], explanations: new Map(), events: 4 });
    expect(view.baselines.get('prior_best')).toBeNull();
    expect(view.frames).toEqual([{ kind: 'frame', at: 4, file: 'a.png', step: 1, activation: Number.NaN }]);
  });

  it('leaves out figures that are no numbers', () => {
    const metrics = JSON.parse('{"loss":null,"reward":1}');
    const view = advanceView(emptyView, [{ kind: 'step', source: 'search', at: 1, step: 1, metrics }]);
    expect([...view.series.keys()]).toEqual(['reward']);
  });
});

it('sortCandidates: the best first in each order', () => {
  const entries = texts.map((text, at) => ({ ...text, at, operator: '' }));
  expect(names(sortCandidates(entries, 'nats'))[0]).toBe('fluent');
  expect(names(sortCandidates(entries, 'z'))[0]).toBe('strong');
  expect(names(sortCandidates(entries, 'newest'))[0]).toBe('fluent');
});
