/** Calibration of units, and the cache of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { optionsOf, scoreBy, scoringEach } from '../../../test/helpers/scoring.js';
import { type EventBody, finishRun } from '../../runs/events.js';
import type { ScoreOptions } from '../score.js';
import { headGroup } from './head.js';
import { NeuronGroup } from './neuron.js';
import type { ReadoutGroup } from './readout.js';
import { calibrate, type Session } from './session.js';

const at = scoringEach();
const options = (changes: Partial<ScoreOptions> = {}) => optionsOf(at, changes);
const score = (changes: Partial<ScoreOptions> = {}) => scoreBy(options(changes));

describe('calibrate', () => {
  /** Options of a calibration on samples. */
  const onSamples = (changes: Partial<Session> = {}) => {
    const { calibrationText: _, ...rest } = { ...options(), ...changes };
    return rest;
  };
  const group = () => headGroup(at.model.spec, 1, 'delta');

  /** One whole calibration, as a new process does it. */
  async function fresh(changes: Partial<Session> = {}, groups: readonly ReadoutGroup[] = [group()]) {
    const reports: EventBody[] = [];
    const calibration = await finishRun(calibrate({ ...onSamples(changes), groups }), (event) =>
      reports.push(event),
    );
    const statistics = await calibration.statistics(groups[0]!);
    return {
      reports,
      calibration,
      warnings: calibration.takeWarnings(),
      statistics,
      from: await calibration.sourceOf(groups[0]!),
    };
  }
  const files = (ending: string) => {
    const folder = join(at.cache, 'calibration', 'hash');
    return readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name));
  };

  it('draws samples once and counts once; the next process reads both', async () => {
    const first = await fresh();
    expect(first.reports.length).toBeGreaterThan(0);
    expect(first.reports[0]).toMatchObject({ kind: 'progress', budget: 'sequences', done: 0, total: 256 });
    expect(first.from).toEqual({ source: 'prior', tokens: 256 * 23, cached: false });
    const second = await fresh();
    expect(second.reports).toEqual([]);
    expect(second.from).toEqual({ ...first.from, cached: true });
    expect(second.statistics).toEqual(first.statistics);
  });

  it('says from the start what is done, how much is left and that it is once', async () => {
    const { reports } = await fresh();
    const progress = reports.filter((report) => report.kind === 'progress');
    expect(progress).toHaveLength(reports.length);
    const phases = [...new Set(progress.map(({ note }) => note))];
    expect(phases).toEqual([
      'calibrating, once for this model: drawing samples of the model',
      'calibrating, once for this model: counting means',
      'calibrating, once for this model: counting moments',
    ]);
    for (const phase of phases) {
      const of = progress.filter(({ note }) => note === phase);
      expect(of[0]).toMatchObject({ done: 0, total: 256, seconds_left: null });
      expect(of.at(-1)).toMatchObject({ done: 256, total: 256, seconds_left: 0 });
    }
  });

  it('counts many groups at once as it counts each alone, and finds each again', async () => {
    const groups = [group(), headGroup(at.model.spec, 0, 'raw'), new NeuronGroup(at.model.spec, 1, 'pre')];
    const together = await fresh({}, groups);
    const counting = together.reports.filter(
      (report) => 'note' in report && report.note?.includes('moments'),
    );
    expect(counting).toHaveLength(1 + 256 / 64);
    for (const one of groups) {
      const kept = await fresh({}, [one]);
      expect([kept.reports, kept.from.cached]).toEqual([[], true]);
      expect(kept.statistics).toEqual(await together.calibration.statistics(one));
      const alone = await fresh({ modelHash: one.key }, [one]);
      for (const [name, values] of Object.entries(alone.statistics))
        expect(relativeError(kept.statistics[name as 'mean']!, values), `${one.key} ${name}`).toBeLessThan(
          1e-4,
        );
    }
    const more = await fresh({}, [...groups, new NeuronGroup(at.model.spec, 0, 'post')]);
    expect(more.reports.map((report) => 'note' in report && report.note)).not.toContain(
      'calibrating, once for this model: counting means',
    );
  });

  it('counts fewer sequences at a time where weights stay in half precision', async () => {
    const { weights } = at.model;
    const halves = { stay: true, type: () => undefined, read: () => new Uint16Array() };
    const { names } = weights;
    const wide = {
      names,
      shape: (name: string) => weights.shape(name),
      read: (name: string) => weights.read(name),
      halves,
    };
    const { statistics } = await fresh();
    const some = await fresh({ model: { ...at.model, weights: wide }, modelHash: 'halves' });
    const counting = some.reports.filter((report) => 'note' in report && report.note?.includes('moments'));
    expect(counting).toHaveLength(1 + Math.ceil(256 / 13));
    expect(relativeError(some.statistics.deviation, statistics.deviation)).toBeLessThan(1e-4);
  });

  it('counts over as many tokens as it is told to', async () => {
    const some = await fresh({ calibrationTokens: 700 });
    expect(some.from).toEqual({ source: 'prior', tokens: 31 * 23, cached: false });
    const { result } = await score({ calibrationTokens: 520 });
    expect(result.units[0]!.calibration[0]).toMatchObject({ source: 'corpus', tokens: 23 * 23 });
    expect((await fresh()).from).toMatchObject({ tokens: 256 * 23, cached: false });
    expect((await fresh({ calibrationTokens: 700 })).from.cached).toBe(true);
  });

  it('reports how sure mean and deviation are: less text, less sure', async () => {
    const { meanError, deviationError, mean } = (await fresh()).statistics;
    const some = (await fresh({ calibrationTokens: 600 })).statistics;
    for (let head = 0; head < mean.length; head++) {
      const ratio = some.meanError![head]! / meanError![head]!;
      // 27 sequences instead of 256.
      expect(ratio).toBeGreaterThan(3 / 2);
      expect(ratio).toBeLessThan(3 * 2);
      expect(Math.abs(some.mean[head]! - mean[head]!)).toBeLessThan(5 * some.meanError![head]!);
      expect(deviationError![head]).toBeGreaterThan(0);
    }
  });

  it('stops while it draws and while it counts, and the next one starts where nothing is kept yet', async () => {
    for (const phase of ['drawing', 'moments']) {
      const controller = new AbortController();
      const steps = calibrate({ ...onSamples({ signal: controller.signal }), groups: [group()] });
      const stopped = finishRun(steps, (event) => {
        if ('note' in event && event.note?.includes(phase)) controller.abort(new Error('stopped'));
      });
      await expect(stopped, phase).rejects.toThrow('stopped');
      expect(existsSync(join(at.cache, 'calibration')) ? files('.samples') : []).toHaveLength(
        phase === 'drawing' ? 0 : 1,
      );
    }
    expect(files('.statistics')).toHaveLength(0);
    expect((await fresh()).from.cached).toBe(false);
  });

  it('does not trust a damaged file', async () => {
    const first = await fresh();
    const [statistics, ids] = [files('.statistics')[0]!, files('.samples')[0]!];
    const spoil: [string, () => void][] = [
      ['cut statistics', () => truncateSync(statistics, 40)],
      ['empty statistics', () => writeFileSync(statistics, '')],
      [
        'statistics with another digit',
        () => writeFileSync(statistics, readFileSync(statistics, 'utf8').replace('[', '[9')),
      ],
      ['cut samples', () => truncateSync(ids, 1002)],
      ['samples all zero', () => writeFileSync(ids, Buffer.alloc(readFileSync(ids).length))],
      ['other samples', () => writeFileSync(ids, readFileSync(ids).fill(1, 900))],
    ];
    for (const [what, damage] of spoil) {
      damage();
      const again = await fresh();
      expect(again.statistics, what).toEqual(first.statistics);
      const phases = again.reports.map((report) => (report as { note: string }).note);
      expect(
        phases.some((note) => note.includes('drawing')),
        what,
      ).toBe(what.includes('samples'));
      expect(again.from.cached, what).toBe(what.includes('samples'));
      const file = what.includes('samples') ? ids : statistics;
      expect(again.warnings, what).toEqual([
        { kind: 'warning', message: expect.stringContaining(`the calibration file ${file} is damaged`) },
      ]);
      expect(await fresh(), what).toMatchObject({ warnings: [], from: { cached: true }, reports: [] });
    }
  });

  it('lets two processes count at once', async () => {
    const [one, other] = await Promise.all([fresh(), fresh()]);
    expect(one.statistics).toEqual(other.statistics);
    expect(await fresh()).toMatchObject({ warnings: [], from: { cached: true } });
    expect(files('')).toHaveLength(2);
  });

  it('works without a cache where none can be written', async () => {
    const file = join(at.cache, 'file');
    writeFileSync(file, '');
    process.env.SUPERSTIM_CACHE = join(file, 'cache');
    expect((await fresh()).from.cached).toBe(false);
    expect((await fresh()).from.cached).toBe(false);
  });

  it('keeps the statistics of different models and texts apart', async () => {
    await fresh();
    const before = files('.statistics');
    mkdirSync(join(at.cache, 'calibration', 'other'));
    await score();
    expect(files('.statistics').length).toBe(before.length + 1);
    await score({ modelHash: 'other' });
    expect(files('.statistics').length).toBe(before.length + 1);
    expect(readdirSync(join(at.cache, 'calibration', 'other'))).toHaveLength(1);
  });
});
