import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scored } from '../../test/helpers/example-runs.js';
import { openRun } from '../report/reported-run.js';
import { earlierSearch } from '../text/search/resume.js';
import { decodeEvent, encodeEvent } from './event-codec.js';
import type { EventSource, RunEvent } from './events.js';
import { readRun } from './read-run.js';
import { emptyView } from './run-view.js';
import { advanceView } from './view-growth.js';

const sources: readonly EventSource[] = ['preparation', 'search', 'prior_best', 'corpus_best'];

/** A log in which the search and its baselines report candidates, steps and progress in any order. */
const logs = fc.array(
  fc.record({ source: fc.constantFrom(...sources), kind: fc.constantFrom('candidate', 'progress', 'step') }),
  { minLength: 1, maxLength: 30 },
);

const eventOf = ({ source, kind }: { source: EventSource; kind: string }, at: number): RunEvent => {
  if (kind === 'candidate') {
    // Each later text is more probable and weaker: all of them are on the frontier.
    const text = { ...scored(`${source} ${at}`, 6 - at / 10, 6 - at / 10), token_ids: [at] };
    return { kind, source, at, candidate: text, operator: 'swap' };
  }
  if (kind === 'step') return { kind, source, at, step: at, metrics: { [source]: at } };
  const rate = { rate: 1, rate_unit: 'evaluations', seconds_left: null };
  return { kind: 'progress', source, at, budget: 'evaluations', done: at, total: null, ...rate };
};

it('a run cut at any event shows the candidates of its own search: in the viewer, the report and resume', () => {
  const folder = mkdtempSync(join(tmpdir(), 'superstim-sources-'));
  writeFileSync(join(folder, 'run.json'), '{"task":"text","unit":"L0.H0","settings":{}}');
  fc.assert(
    fc.property(logs, (log) => {
      const events = log.map((entry, at) => eventOf(entry, at));
      for (let end = 1; end <= events.length; end++) {
        const cut = events.slice(0, end);
        const own = cut.flatMap((event) =>
          event.kind === 'candidate' && event.source === 'search' ? [event.candidate] : [],
        );
        const texts = own.map(({ text }) => text).sort();
        writeFileSync(join(folder, 'events.jsonl'), cut.map((event) => `${encodeEvent(event)}\n`).join(''));
        const view = advanceView(emptyView, readRun(folder).events);
        expect(view.frontier.map(({ text }) => text).sort()).toEqual(texts);
        expect([...view.series.keys()].filter((name) => name !== 'search')).toEqual([]);
        expect(
          openRun(folder)
            .view.frontier.map(({ text }) => text)
            .sort(),
        ).toEqual(texts);
        const { found, evaluations } = earlierSearch(cut);
        expect(found).toEqual(own.map(({ token_ids }) => token_ids));
        const spent = cut.findLast(
          ({ kind, ...event }) => kind === 'progress' && 'source' in event && event.source === 'search',
        );
        expect(evaluations).toBe(spent?.at ?? 0);
      }
    }),
    { numRuns: 25 },
  );
});

it('reads logs of versions that had no sources', () => {
  const line = JSON.stringify({ kind: 'candidate', at: 1, candidate: scored('old', 2, 3), operator: 'swap' });
  const event = decodeEvent(line)!;
  expect(advanceView(emptyView, [event]).frontier.map(({ text }) => text)).toEqual(['old']);
});
