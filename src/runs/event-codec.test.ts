import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent, encodeEvent } from './event-codec.js';
import { type EventSource, eventClock, finishRun, type RunEvent } from './events.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const text = fc.string({ unit: 'binary' });
const scored = fc.record({
  text,
  token_ids: fc.array(fc.nat()),
  cross_entropy: finite,
  raw: finite,
  z: finite,
  margin: fc.option(finite),
  rank: fc.option(fc.nat()),
});
const at = fc.nat().map((milliseconds) => milliseconds / 1000);
const source = fc.constantFrom<EventSource>('preparation', 'search', 'prior_best', 'corpus_best', 'unstated');
const anyEvent: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record({ kind: fc.constant('candidate' as const), source, at, candidate: scored, operator: text }),
  fc.record({ kind: fc.constant('warning' as const), at, message: text }),
  fc.record({ kind: fc.constant('baseline' as const), at, name: text, candidate: fc.option(scored) }),
  fc.record({
    kind: fc.constant('step' as const),
    source,
    at,
    step: fc.nat(),
    metrics: fc.dictionary(text, finite, { noNullPrototype: true }),
  }),
  fc.record({
    kind: fc.constant('progress' as const),
    source,
    at,
    budget: text,
    done: fc.nat(),
    total: fc.option(fc.nat()),
    rate: fc.option(finite),
    rate_unit: text,
    seconds_left: fc.option(finite),
  }),
);

// -0 is written as 0.
const positiveZero = (event: RunEvent) => JSON.parse(JSON.stringify(event)) as RunEvent;

describe('encodeEvent, decodeEvent', () => {
  it('round-trip, on one line', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const line = encodeEvent(event);
        expect(line).not.toContain('\n');
        expect(decodeEvent(line)).toEqual(positiveZero(event));
      }),
    );
  });

  it('never throws, whatever the line', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const event = decodeEvent(line);
        if (event !== null) expect(typeof event.at).toBe('number');
      }),
    );
  });

  it('keeps an event of a kind it does not know', () => {
    const event = { kind: 'hologram', at: 3, beam: [1, 2] };
    expect(decodeEvent(JSON.stringify(event))).toEqual({ kind: 'unknown', at: 3, event });
  });

  it('does not take an inherited property for a kind', () => {
    expect(decodeEvent('{"kind":"constructor","at":1}')).toMatchObject({ kind: 'unknown' });
  });

  it('rejects a known kind without what readers rely on', () => {
    expect(decodeEvent('{"kind":"warning","at":1}')).toBeNull();
    expect(decodeEvent('{"kind":"candidate","at":1,"candidate":[],"operator":"swap"}')).toBeNull();
    expect(decodeEvent('{"kind":"warning","message":"no time"}')).toBeNull();
    expect(
      decodeEvent('{"kind":"candidate","at":1,"candidate":{"text":"half"},"operator":"swap"}'),
    ).toBeNull();
    expect(
      decodeEvent('{"kind":"explained","at":2,"explanation":{"text":"half","tokens":["a"]}}'),
    ).toBeNull();
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    expect(decodeEvent(`{"kind":"finished","at":1,"reason":"done","result":${deep}}`)).toBeNull();
  });

  it('reads a number that was not finite, null in the log, as NaN', () => {
    const line = encodeEvent({ kind: 'frame', at: 1, file: 'a.png', step: 2, activation: Number.NaN });
    expect(decodeEvent(line)).toMatchObject({ kind: 'frame', activation: Number.NaN });
  });
});

describe('eventClock', () => {
  it('stamps seconds from where a resumed run stood', async () => {
    const event = eventClock(100);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const warning = event({ kind: 'warning', message: 'late' });
    expect(warning.at).toBeGreaterThanOrEqual(100.015);
    expect(warning.at).toBeLessThan(105);
    expect(Object.keys(warning)).toEqual(['kind', 'at', 'message']);
  });
});

describe('finishRun', () => {
  it('gives the result and shows every event', async () => {
    const event = eventClock();
    async function* run() {
      yield event({ kind: 'warning', message: 'one' });
      yield event({ kind: 'warning', message: 'two' });
      return 42;
    }
    const seen: string[] = [];
    expect(await finishRun(run(), (e) => seen.push(e.kind === 'warning' ? e.message : e.kind))).toBe(42);
    expect(seen).toEqual(['one', 'two']);
  });
});
