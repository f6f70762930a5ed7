/** Every drawing at every size: exactly as many lines and columns as there are, and the same information. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explained, imageRun, scored, textRun, texts, tuneRun } from '../../../test/helpers/example-runs.js';
import { type Line, lineText, lineWidth } from '../../media/styled.js';
import { viewRun } from '../../runs/read-run.js';
import { emptyView } from '../../runs/run-view.js';
import { advanceView } from '../../runs/view-growth.js';
import { listedTexts } from '../listed-texts.js';
import { candidatePlace, type RunPlace, runPlace, runsPlace } from '../places.js';
import { listRuns } from '../run-list.js';
import { type RunSnapshot, snapshotOf } from '../run-source.js';
import { drawCandidate, figuresOf } from './candidate.js';
import { drawRunComparison, drawTextComparison } from './compare.js';
import { drawHelp } from './help.js';
import { drawImageRun } from './image-run.js';
import { fitBlock } from './layout.js';
import { drawRuns } from './runs.js';
import { drawTextRun } from './text-run.js';
import { drawTuneRun } from './tune-run.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-draw-'));
afterAll(() => rmSync(folder, { recursive: true }));
const runs: Record<'text' | 'image' | 'tune', RunSnapshot> = {} as never;
beforeAll(async () => {
  const open = (path: string) => snapshotOf(viewRun(path));
  Object.assign(runs, {
    text: open(textRun(folder)),
    image: open(await imageRun(folder)),
    tune: open(tuneRun(folder)),
  });
});

const unit = 'L2.H3';
const explanation = explained(texts[2]!, unit);
const wide = scored('日本語のテキスト 👩‍👩‍👧 with wide signs', 3, 4);
const huge = [1, 2, 3].map((step) => ({
  kind: 'step' as const,
  at: step,
  source: 'search' as const,
  step,
  samples: [],
  metrics: { reward: step * 1e-9, kl: 123456789.12 + step / 1000 },
}));
const side = { unit, text: texts[2]!.text, figures: figuresOf(explanation), explanation, status: '' };
const listed = (snapshot: RunSnapshot, change: Partial<RunPlace> = {}) => ({
  snapshot,
  place: { ...runPlace('run'), ...change },
  listed: listedTexts(snapshot.view, { ...runPlace('run'), ...change }),
});

const drawings: Record<string, (columns: number, rows: number) => { lines: Line[]; words: string[] }> = {
  runs: (columns, rows) => {
    const all = listRuns(folder);
    const scene = { folder, place: runsPlace, runs: all, total: all.length, columns, rows };
    return { lines: drawRuns(scene), words: ['3 runs', 'L1.N7'] };
  },
  search: (columns, rows) => ({
    lines: drawTextRun({ ...listed(runs.text), columns, rows }),
    words: ['L2.H3', 'books-lm/2-set/17 on Neuronpedia', '3 candidates, by nats', 'the disk is', '3.20'],
  }),
  'all that entered': (columns, rows) => ({
    lines: drawTextRun({ ...listed(runs.text, { all: true, order: 'z' }), columns, rows }),
    words: ['4 that ever entered, by z'],
  }),
  training: (columns, rows) => ({
    lines: drawTuneRun({ ...listed(runs.tune), columns, rows }),
    words: [
      'read behind "<s>',
      '── reward ',
      '── kl ',
      '8 samples of the steps, by newest',
      'sample of step 8',
    ],
  }),
  'training of odd figures': (columns, rows) => {
    const snapshot = { ...runs.tune, view: advanceView(emptyView, huge) };
    return { lines: drawTuneRun({ ...listed(snapshot), columns, rows }), words: [] };
  },
  image: (columns, rows) => {
    const scene = { snapshot: runs.image, frame: 2, playing: false, picture: [], strip: [], columns, rows };
    return { lines: drawImageRun(scene), words: ['block4_conv1:4', 'activation over steps'] };
  },
  candidate: (columns, rows) => {
    const place = { ...candidatePlace('run', texts[2]!.text), token: 1 };
    const scene = { place, explanation, answer: null, original: null, unit, coloring: 'z' as const };
    return {
      lines: drawCandidate({ ...scene, columns, rows }),
      words: ['z 7.90', 'nats 4.40', '▲7.9', 'L2.H1', 'with another'],
    };
  },
  edit: (columns, rows) => {
    const place = { ...candidatePlace('run', `${texts[2]!.text} more`), original: 'x', cursor: 3 };
    const answer = { state: 'asked', note: 'scoring' } as const;
    const original = { ...figuresOf(explanation), z: 5 };
    const scene = { place, explanation, answer, original, unit, coloring: 'logprob' as const };
    return {
      lines: drawCandidate({ ...scene, columns, rows }),
      words: ['editing', 'scoring…', '7.90 (+2.90)', 'log-probability'],
    };
  },
  'two texts': (columns, rows) => ({
    lines: drawTextComparison([side, { ...side, text: wide.text }], 'z', columns, rows),
    words: ['z 7.90', 'rivals'],
  }),
  'two runs': (columns, rows) => ({
    lines: drawRunComparison([runs.text, runs.text], columns, rows),
    words: ['frontiers', 'its front'],
  }),
  help: (columns, rows) => ({ lines: drawHelp('text', columns, rows), words: ['open it', 'Ctrl-c'] }),
};

describe.each(Object.entries(drawings))('%s', (_, draw) => {
  it.each([
    [80, 23],
    [200, 59],
    [120, 35],
    [40, 10],
    [61, 17],
  ])('fits %d x %d', (columns, rows) => {
    const { lines, words } = draw(columns, rows);
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(lineWidth(line), lineText(line)).toBeLessThanOrEqual(columns);
    if (columns < 80) return;
    const text = lines.map(lineText).join('\n');
    for (const word of words) expect(text).toContain(word);
  });

  it('fits whatever size is left', () => {
    for (const rows of [0, 1, 2, 9])
      for (let columns = 1; columns < 60; columns += columns < 32 ? 1 : 9)
        for (const line of fitBlock(draw(columns, rows).lines, columns, rows))
          expect(lineWidth(line)).toBe(columns);
  });
});
