/** Pages and figures of runs: whole ones, damaged ones, and texts that look like markup. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  explained,
  HOSTILE,
  imageRun,
  scored,
  textRun,
  texts,
  tuneRun,
  writeRun,
} from '../../test/helpers/example-runs.js';
import { UsageError } from '../core/errors.js';
import type { EventBody } from '../runs/events.js';
import { viewRun } from '../runs/read-run.js';
import { describeRun } from '../tui/plain-text.js';
import { listRuns } from '../tui/run-list.js';
import { snapshotOf } from '../tui/run-source.js';
import { writeFigure } from './figure-file.js';
import { escapeText } from './html.js';
import { openRun } from './reported-run.js';
import { shellWord } from './sections/run-head.js';
import { writeReport } from './write-report.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-report-'));
afterAll(() => rmSync(place, { recursive: true }));

const paths: Record<'text' | 'image' | 'tune', string> = { text: '', image: '', tune: '' };
beforeAll(async () => {
  const parent = join(place, 'runs');
  Object.assign(paths, { text: textRun(parent), image: await imageRun(parent), tune: tuneRun(parent) });
});

async function pageOf(path: string): Promise<string> {
  const { report, pages } = await writeReport([path]);
  expect(pages).toEqual([report]);
  return readFileSync(report, 'utf8');
}

/** Fails with the word alone, not with the whole page. */
function expectWord(page: string, word: string): void {
  expect(page.includes(word) ? word : 'a page without it').toBe(word);
}

describe('the page of a search', () => {
  it('holds the frontier, the evidence and the command', async () => {
    const page = await pageOf(paths.text);
    for (const word of [
      'L2.H3',
      'books-lm',
      '900 evaluations',
      '(BOS auto, the user&#39;s turn of a conversation)',
      'L2.H7',
      'prior&#39;s best',
      'books-lm/2-set/17 on Neuronpedia, maximum 16.00: ',
      '<td>15.50</td><td>14.25</td>',
      '&lt;nearly&gt; full',
    ])
      expectWord(page, word);
    for (const anchor of ['#text-0', '#text-2', '#explained-0', '#explained-2'])
      expectWord(page, `href="${anchor}"`);
    expectWord(page, escapeText(`superstim text --unit L2.H3 --note ${shellWord(HOSTILE)}`));
    expect(page.match(/class="point selective" href/g)).toHaveLength(2);
    expect(page.match(/class="point" href/g)).toHaveLength(1);
  });

  it('loads nothing and lets no text become markup', async () => {
    const page = await pageOf(paths.text);
    expect(page).not.toContain('<img');
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
  });

  it('stays small with a frontier of thousands', async () => {
    const many = Array.from({ length: 5000 }, (_, i) =>
      scored(`text number ${i} of many`, 1 + i / 1000, i / 500),
    );
    const page = await pageOf(textRun(join(place, 'many'), many));
    expectWord(page, '4,850 between them left out');
    expect(page.length).toBeLessThan(800_000);
  });
});

it('the page of a picture embeds it, the frames and the animation', async () => {
  const page = await pageOf(paths.image);
  const pictures = [...page.matchAll(/data:image\/webp;base64,([^"]+)"/g)].map(([, data]) =>
    Buffer.from(data!, 'base64'),
  );
  const seen = await Promise.all(pictures.map((data) => sharp(data, { animated: true }).metadata()));
  expect(seen.map(({ pages = 1 }) => pages)).toEqual([1, 4, 1, 1, 1, 1]);
  expect(seen.every(({ width }) => width === 32)).toBe(true);
  expectWord(page, 'activation −3 at the start, 42 at the end');
});

it('the page of a training has curves, samples and the comparison with the prior', async () => {
  const page = await pageOf(paths.tune);
  for (const word of ['reward from 0.5 to 4', 'kl from 0.25 to 2', 'Fresh samples', 'More curves (1)'])
    expectWord(page, word);
  expect(page).toMatch(
    /sample<span class="space"> <\/span>of<span class="space"> <\/span>step<span class="space"> <\/span>8/,
  );
});

describe('an index', () => {
  it('links to the page of every run', async () => {
    const index = join(place, 'runs', 'index.html');
    // As `runs/*` does the second time, it names the index too.
    writeFileSync(index, '');
    const { report, pages } = await writeReport([...Object.values(paths), index]);
    expect(report).toBe(index);
    expect(pages).toHaveLength(3);
    const page = readFileSync(report, 'utf8');
    for (const path of Object.values(paths))
      expectWord(page, `href="${encodeURIComponent(path.split('/').at(-1)!)}/report.html"`);
    expectWord(page, '7.90');
    expectWord(page, 'activation −3 to 42');
  });

  it('passes over what is no run folder, and says so; a single one is refused', async () => {
    const { passed, pages } = await writeReport([paths.text, place]);
    expect(Object.keys(passed)).toEqual([place]);
    expect(pages).toHaveLength(1);
    await expect(writeReport([place])).rejects.toThrow(/is not a run folder/);
    await expect(writeReport([place, join(place, 'nowhere')])).rejects.toThrow(/none of the 2 paths/);
  });
});

describe('runs of others', () => {
  it('show no picture from outside of their folder', async () => {
    const parent = mkdtempSync(join(place, 'outside-'));
    const secret = join(parent, 'secret.png');
    await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } }).toFile(secret);
    const frames = ['../secret.png', secret, 'link.png'].map(
      (file, step): EventBody => ({ kind: 'frame', file, step, activation: step }),
    );
    const result = { image: secret, activation: { curve: [0, 1] } };
    const finished: EventBody = { kind: 'finished', reason: 'done', result };
    const path = writeRun(parent, 'image', 'a:1', [...frames, finished]);
    symlinkSync(secret, join(path, 'link.png'));
    const page = await pageOf(path);
    expect(page).not.toContain('data:image/webp');
    expect(page).toContain('3 of 3 frames are missing');
  });

  it('of any length give a page that can be opened, and says what it leaves out', async () => {
    const parent = mkdtempSync(join(place, 'long-'));
    const path = writeRun(parent, 'text', 'L0.H0', []);
    const explanation = explained(texts[0]!, 'L0.H0');
    const many = (count: number, body: (i: number) => object) =>
      Array.from({ length: count }, (_, i) => `${JSON.stringify({ at: i, ...body(i) })}\n`).join('');
    const candidate = (i: number) => ({ ...texts[0], text: `t${i}`, cross_entropy: i, z: i, token_ids: [i] });
    const log = [
      // Arrays of so many are no arguments of a function.
      many(130_000, (i) => ({ kind: 'candidate', source: 'search', operator: '', candidate: candidate(i) })),
      many(130_000, (i) => ({ kind: 'frame', file: `${i}.png`, step: i, activation: i })),
      many(3000, (i) => ({ kind: 'warning', message: `warning ${i}` })),
      many(500, (i) => ({ kind: 'explained', explanation: { ...explanation, text: `t${i}` } })),
    ];
    writeFileSync(join(path, 'events.jsonl'), log.join(''));
    const page = await pageOf(path);
    expect(page.length).toBeLessThan(2e6);
    for (const said of ['2,980 more warnings', '460 more explained texts', '129,850 between them left out'])
      expect(page).toContain(said);
    expect(describeRun(snapshotOf(viewRun(path))).length).toBeLessThan(1e6);
  });
});

it('view lists a folder with plain files and links in it', () => {
  const parent = mkdtempSync(join(place, 'list-'));
  const path = textRun(parent);
  writeFileSync(join(parent, 'index.html'), '');
  symlinkSync('/dev', join(parent, 'devices'));
  symlinkSync(join(parent, 'loop'), join(parent, 'loop'));
  expect(listRuns(parent).map(({ path }) => path)).toEqual([path]);
});

describe('damaged runs', () => {
  const damaged = async (make: (path: string) => void) => {
    const parent = mkdtempSync(join(place, 'damaged-'));
    const path = await imageRun(parent);
    make(path);
    return pageOf(path);
  };

  it('show what is there and say what is missing', async () => {
    expect(await damaged((path) => rmSync(join(path, 'frames/000010.png')))).toContain(
      '1 of 4 frames are missing',
    );
    expect(await damaged((path) => writeFileSync(join(path, 'frames/000010.png'), 'no picture'))).toContain(
      'step 20',
    );
    expect(await damaged((path) => rmSync(join(path, 'run.json')))).toContain('run.json is missing');
    expect(await damaged((path) => appendFileSync(join(path, 'events.jsonl'), '{"kind":"fini'))).toContain(
      'cut off',
    );
    const newer = '{"kind":"hologram","at":9}\n';
    expect(await damaged((path) => appendFileSync(join(path, 'events.jsonl'), newer))).toContain(
      '&quot;hologram&quot;',
    );
  });

  it('open when they are empty', async () => {
    const page = await damaged((path) => {
      truncateSync(join(path, 'events.jsonl'));
      for (const name of ['frames', 'picture.png']) rmSync(join(path, name), { recursive: true });
    });
    expectWord(page, 'events.jsonl is empty');
    expectWord(page, 'Nothing was found or drawn');
    const bare = join(place, 'bare');
    mkdirSync(bare);
    writeFileSync(join(bare, 'events.jsonl'), '');
    expect(await pageOf(bare)).toContain('unknown unit');
  });

  it('fall back on frontier.json where the log has no candidates', async () => {
    const path = textRun(mkdtempSync(join(place, 'log-')));
    truncateSync(join(path, 'events.jsonl'));
    expect(await pageOf(path)).toContain('href="#text-2"');
    expect(describeRun(snapshotOf(viewRun(path)))).toContain('\n\nfrontier\n');
  });
});

describe('figures', () => {
  it('are drawn of every task, as SVG that stands by itself', async () => {
    for (const [task, words] of [
      ['text', 'z of L2.H3, sigmas'],
      ['image', 'activation'],
      ['tune', 'reward, sigmas'],
    ] as const) {
      const file = join(place, `${task}.svg`);
      await writeFigure(openRun(paths[task]), file);
      const svg = readFileSync(file, 'utf8');
      expect(svg).toContain(words);
      expect(svg).not.toContain('var(');
      expect(svg).not.toContain('<a ');
    }
  });

  it('are drawn as PNG with lines and words', async () => {
    const file = join(place, 'figure.png');
    await writeFigure(openRun(paths.text), file);
    const { width, height } = await sharp(file).metadata();
    expect([width, height]).toEqual([2880, 1680]);
    const ink = async (left: number, top: number, width: number, height: number) => {
      const part = await sharp(file).extract({ left, top, width, height }).toBuffer();
      return (await sharp(part).stats()).channels[0]!.min;
    };
    expect(await ink(0, 0, 40, 40)).toBe(255);
    // The title of the horizontal axis.
    expect(await ink(1100, 1600, 700, 70)).toBeLessThan(160);
  });

  it('are refused for other names, and for runs with nothing to draw', async () => {
    await expect(writeFigure(openRun(paths.text), join(place, 'figure.pdf'))).rejects.toThrow(UsageError);
    const empty = textRun(mkdtempSync(join(place, 'empty-')), []);
    truncateSync(join(empty, 'events.jsonl'));
    rmSync(join(empty, 'frontier.json'));
    await expect(writeFigure(openRun(empty), join(place, 'figure.svg'))).rejects.toThrow(/nothing|no texts/);
  });
});

it('quotes words for a shell', () => {
  expect(['L2.H3', 'a b', "it's", ''].map(shellWord)).toEqual(['L2.H3', "'a b'", `'it'\\''s'`, "''"]);
});
