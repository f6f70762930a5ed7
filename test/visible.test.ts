/** Whatever a run folder holds: no control, bidirectional or invisible character reaches a terminal or a page. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../src/core/random.js';
import { type Line, lineText } from '../src/media/styled.js';
import { writeFigure } from '../src/report/figure-file.js';
import { openRun } from '../src/report/reported-run.js';
import { writeReport } from '../src/report/write-report.js';
import { viewRun } from '../src/runs/read-run.js';
import { drawCandidate } from '../src/tui/draw/candidate.js';
import { drawRunComparison } from '../src/tui/draw/compare.js';
import { drawImageRun } from '../src/tui/draw/image-run.js';
import { fitBlock } from '../src/tui/draw/layout.js';
import { drawRuns } from '../src/tui/draw/runs.js';
import { drawTextRun } from '../src/tui/draw/text-run.js';
import { drawTuneRun } from '../src/tui/draw/tune-run.js';
import { listedTexts } from '../src/tui/listed-texts.js';
import { candidatePlace, runPlace, runsPlace } from '../src/tui/places.js';
import { describeRun, describeRuns } from '../src/tui/plain-text.js';
import { listRuns } from '../src/tui/run-list.js';
import { type RunSnapshot, snapshotOf } from '../src/tui/run-source.js';
import { imageRun, textRun, tuneRun } from './helpers/example-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-visible-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SEEDS = 4;
const columns = 100;
const rows = 40;
const size = { columns, rows };
const paths: string[] = [];

beforeAll(async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    for (const path of [textRun(folder), await imageRun(folder), tuneRun(folder)]) {
      spoil(path, Random.of(seed, path));
      paths.push(path);
    }
  }
});

/** Escape sequences, controls of both kinds, marks of direction, what is not seen, halves of pairs. */
const signs = [
  ...['\x1b]52;c;QQ==\x07', '\x1b[2J', '\x9b31m', '\x9d0;title\x9c', '\r', '\n', '\t', '\0', '\x7f', '\x85'],
  ...['\u202E', '\u2066', '\u200F', '\u061C', '\u200B', '\uFEFF', '\u2028', '\uD800', '\uFFFE', '\u{E0041}'],
];

/** What readers need to know an event by. */
const structure = new Set(['kind', 'source', 'budget', 'reason', 'task', 'image', 'file']);

/** Puts signs into every string and every name of a run. */
function spoil(path: string, random: Random): void {
  const put = (text: string) => {
    const at = random.integer(text.length + 1);
    return text.slice(0, at) + signs[random.integer(signs.length)]! + text.slice(at);
  };
  const walk = (value: unknown, name = ''): unknown => {
    if (typeof value === 'string') return structure.has(name) ? value : put(put(value));
    if (Array.isArray(value)) return value.map((one) => walk(one));
    if (typeof value !== 'object' || value === null) return value;
    const open = name === 'metrics' || name === 'settings';
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [open ? put(key) : key, walk(one, key)]),
    );
  };
  for (const name of ['run.json', 'events.jsonl']) {
    const lines = readFileSync(join(path, name), 'utf8').trim();
    const documents = name === 'run.json' ? [lines] : lines.split('\n');
    writeFileSync(
      join(path, name),
      documents.map((line) => `${JSON.stringify(walk(JSON.parse(line)))}\n`).join(''),
    );
  }
}

const acting =
  /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;

/** Fails with the place alone, not with the whole page. */
function expectVisible(text: string): void {
  const at = text.search(acting);
  expect(at < 0 ? '' : JSON.stringify(text.slice(Math.max(0, at - 60), at + 20))).toBe('');
}

function screensOf(snapshot: RunSnapshot): Line[][] {
  const { view } = snapshot;
  const place = runPlace('run');
  const scene = { snapshot, place, listed: listedTexts(view, place), ...size };
  const candidates = [...view.explanations.values()].map((explanation) => {
    const { unit, text } = explanation;
    const base = { place: candidatePlace('run', text), explanation, answer: null, original: null, unit };
    return drawCandidate({ ...base, coloring: 'z', ...size });
  });
  return [
    view.task === 'tune' ? drawTuneRun(scene) : drawTextRun(scene),
    drawImageRun({ snapshot, frame: 0, playing: false, picture: [], strip: [], ...size }),
    drawRunComparison([snapshot, snapshot], columns, rows),
    ...candidates,
  ];
}

it('view prints it as text', () => {
  for (const path of paths) expectVisible(describeRun(snapshotOf(viewRun(path))));
  expectVisible(describeRuns(listRuns(folder), folder));
});

it('the terminal UI draws it', () => {
  const runs = listRuns(folder);
  const list = drawRuns({ folder, place: runsPlace, runs, total: runs.length, ...size });
  for (const lines of [list, ...paths.flatMap((path) => screensOf(snapshotOf(viewRun(path))))]) {
    expect(lines.length).toBeGreaterThan(0);
    // As `Screen` hands them to the terminal.
    for (const line of fitBlock(lines, columns, rows)) expectVisible(lineText(line));
  }
});

it('reports show it', async () => {
  const written = await writeReport(paths, join(folder, 'index.html'));
  expect(written.pages).toHaveLength(paths.length);
  for (const page of [written.report, ...written.pages]) expectVisible(readFileSync(page, 'utf8'));
  const figure = join(folder, 'figure.svg');
  for (const path of paths) {
    await writeFigure(openRun(path), figure);
    expectVisible(readFileSync(figure, 'utf8'));
  }
});
