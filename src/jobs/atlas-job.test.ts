/** An atlas in its run folder: stopped, resumed, taken further; its table as readers of Parquet see it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { afterAll, expect, it } from 'vitest';
import { finishRun } from '../runs/events.js';
import { readRun } from '../runs/read-run.js';
import type { AtlasUnit } from '../text/atlas/atlas-unit.js';
import { createJobFolder, openJob, resumeRun, runJob } from './job.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-atlas-job-'));
afterAll(() => rmSync(place, { recursive: true }));
process.env.SUPERSTIM_CACHE = join(place, 'cache');
const job = { task: 'atlas', units: ['L1.H0-3', 'L0.N7'], length: 6, evaluations: 500 } as const;

const unitsOf = (run: string): AtlasUnit[] =>
  readdirSync(join(run, 'atlas'))
    .sort()
    .flatMap((name) =>
      readFileSync(join(run, 'atlas', name), 'utf8')
        .trim()
        .split('\n'),
    )
    .map((line) => JSON.parse(line) as AtlasUnit);

it('an atlas that was stopped has its texts, and is resumed', async () => {
  const opened = await finishRun(openJob<'atlas'>(job));
  const controller = new AbortController();
  const folder = createJobFolder(opened, join(place, 'runs'));
  const stopped = await finishRun(runJob(opened, folder, controller.signal), (event) => {
    if (event.kind === 'progress' && event.source === 'search') controller.abort();
  });
  expect(stopped.cost.evaluations).toBeLessThan(500);
  expect(existsSync(join(stopped.run, 'checkpoint.json'))).toBe(true);
  const before = unitsOf(stopped.run);
  expect(before.map(({ unit }) => unit)).toEqual(['L1.H0', 'L1.H1', 'L1.H2', 'L1.H3', 'L0.N7']);
  expect(before.every(({ frontier }) => frontier.length > 0)).toBe(true);

  const more = async (evaluations?: number) => {
    const resumed = await finishRun(resumeRun(stopped.run, evaluations ? { evaluations } : {}));
    return finishRun(runJob(resumed, resumed.folder, undefined, resumed.earlier));
  };
  expect(await more()).toMatchObject({ cost: { evaluations: 500 }, run: stopped.run });
  expect(await more(200)).toMatchObject({ cost: { evaluations: 700 } });
  const units = unitsOf(stopped.run);
  for (const [i, unit] of units.entries()) {
    expect(unit.explanations.length).toBeGreaterThan(0);
    expect(unit.hypervolume).toBeGreaterThanOrEqual(before[i]!.hypervolume - 0.01);
  }
  expect(readRun(stopped.run)).toMatchObject({ state: 'done', missing: [] });

  const bytes = readFileSync(join(stopped.run, 'atlas.parquet'));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const { children } = parquetSchema(parquetMetadata(file));
  expect(children.map(({ element }) => element.name)).toEqual([
    ...['unit', 'text', 'tokens', 'nats', 'z', 'margin', 'rank', 'source'],
  ]);
  const rows = await parquetReadObjects({ file });
  const expected = units.flatMap(({ unit, frontier }) => frontier.map((text) => ({ ...text, unit })));
  expect(rows).toHaveLength(expected.length);
  for (const [i, { cross_entropy, z, margin, ...exact }] of expected.entries()) {
    expect(rows[i]).toMatchObject(exact);
    expect(rows[i]!.nats).toBeCloseTo(cross_entropy, 4);
    expect(rows[i]!.z).toBeCloseTo(z, 4);
    if (margin === null) expect(rows[i]!.margin).toBeNull();
    else expect(rows[i]!.margin).toBeCloseTo(margin, 4);
  }
});
