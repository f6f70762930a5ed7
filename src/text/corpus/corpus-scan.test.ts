/** Natural text for a unit of the embedded model, from files written here. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { booksSession } from '../../../test/helpers/books-session.js';
import { UserError } from '../../core/errors.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun, type RunEvent } from '../../runs/events.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import { scoreText } from '../score.js';
import { type CorpusResult, type CorpusScanOptions, scanCorpus } from './corpus-scan.js';
import { corpusFiles, corpusSequences } from './corpus-text.js';
import { type ScanCheckpoint, scanCheckpoint } from './scan-state.js';

let model: TextModel;
const folder = mkdtempSync(join(tmpdir(), 'superstim-corpus-'));
const dull = 'The old house stood at the end of the long road. It was grey, and nobody came. ';
const striking = 'But what did you say to him then?';

beforeAll(async () => {
  process.env.SUPERSTIM_CACHE = mkdtempSync(join(tmpdir(), 'superstim-'));
  model = await loadTextModel(`${embeddedFolder}/books-lm`);
  mkdirSync(join(folder, 'more'));
  writeFileSync(join(folder, 'a.txt'), dull.repeat(8));
  writeFileSync(join(folder, 'more', 'b.txt.gz'), gzipSync(`${dull}\n\n${striking} ${dull}`));
  writeFileSync(join(folder, 'notes.md'), 'not a text file');
});

const options = (changes: Partial<CorpusScanOptions> = {}): CorpusScanOptions => ({
  ...booksSession(model),
  unit: 'L2.H5',
  files: corpusFiles([folder]),
  cut: { unit: 'sentence', length: 24 },
  top: 3,
  ...changes,
});

describe('corpusSequences', () => {
  it('cuts windows of one length that follow each other and survive decoding', async () => {
    const [file] = corpusFiles([join(folder, 'a.txt')]);
    const parts: Int32Array[] = [];
    for await (const { sequences, bytes } of corpusSequences([file!], model.tokenizer, {
      unit: 'window',
      length: 6,
    })) {
      parts.push(...sequences);
      expect(bytes).toBeLessThanOrEqual(file!.bytes);
    }
    expect(parts.length).toBeGreaterThan(10);
    for (const ids of parts) {
      expect(ids).toHaveLength(7);
      expect(model.tokenizer.roundTrips(ids)).toBe(true);
    }
    const text = parts.map((ids) => model.tokenizer.decode(ids)).join('');
    expect(dull.repeat(8).startsWith(text.slice(0, 60))).toBe(true);
  });

  it('finds every word of a long file, whatever stretches it is read in', async () => {
    const path = join(folder, 'long.txt.gz');
    const sentences = Array.from({ length: 3000 }, (_, i) => `Number ${i} was there — so.`);
    writeFileSync(path, gzipSync(sentences.join('\n')));
    const found: string[] = [];
    const cut = { unit: 'sentence', length: 40 } as const;
    for await (const { sequences } of corpusSequences(corpusFiles([path]), model.tokenizer, cut))
      found.push(...sequences.map((ids) => model.tokenizer.decode(ids)));
    expect(found).toEqual(sentences);
  });

  it('says what is wrong with paths', () => {
    expect(() => corpusFiles([join(folder, 'none.txt')])).toThrow(UserError);
    const empty = mkdtempSync(join(tmpdir(), 'superstim-empty-'));
    expect(() => corpusFiles([empty])).toThrow(/no .txt or .txt.gz file/);
    if (process.platform === 'linux')
      expect(() => corpusFiles(['/dev/zero'])).toThrow(/a device, not a file/);
  });

  it('takes names in any case, and each folder once where links lead in circles', () => {
    const root = mkdtempSync(join(tmpdir(), 'superstim-links-'));
    mkdirSync(join(root, 'deep'));
    writeFileSync(join(root, 'deep', 'A.TXT'), dull);
    writeFileSync(join(root, 'B.Txt.GZ'), dull);
    symlinkSync(root, join(root, 'deep', 'up'));
    symlinkSync('deep', join(root, 'same'));
    symlinkSync('self', join(root, 'self'));
    symlinkSync('nowhere', join(root, 'gone'));
    const names = corpusFiles([root]).map(({ path }) => path.slice(root.length + 1));
    expect(names).toEqual(['B.Txt.GZ', join('deep', 'A.TXT')]);
    symlinkSync('nowhere', join(root, 'gone.txt'));
    expect(() => corpusFiles([root])).toThrow(/gone.txt: there is no such file/);
  });
});

describe('scanCorpus', () => {
  it('finds the sentence that excites the unit, as score sees it', async () => {
    const events: RunEvent[] = [];
    const files = corpusFiles([join(folder, 'a.txt'), join(folder, 'more')]);
    const result = await finishRun(scanCorpus(options({ files })), (event) => events.push(event));
    const best = result.top[0]!;
    expect(best.text).toBe(striking);
    expect(result.top.map(({ text }) => text)).toHaveLength(new Set(result.top.map(({ text }) => text)).size);
    const score = await finishRun(scoreText({ ...options(), text: striking, units: ['L2.H5'] }));
    const [unit] = score.units;
    expect(best.z).toBeCloseTo(unit!.peak.z!, 3);
    expect(best.margin).toBeCloseTo(unit!.margin!, 3);
    expect(best.peak).toBe(unit!.peak.position - 1);
    expect(best.tokens.join('')).toBe(striking);
    expect(result.frontier).toContainEqual(expect.objectContaining({ text: striking }));
    expect(result.corpus.bytes_read).toBe(result.corpus.bytes);
    expect(events.at(-1)).toMatchObject({ kind: 'finished', reason: 'done' });
    expect(events.some(({ kind }) => kind === 'candidate')).toBe(true);
  });

  it('reads UTF-16, and ends with a sentence where there is nothing to score', async () => {
    const wide = join(folder, 'wide.TXT');
    writeFileSync(wide, Buffer.from(`\uFEFF${dull}${striking}`, 'utf16le'));
    const { top } = await finishRun(scanCorpus(options({ files: corpusFiles([wide]) })));
    expect(top[0]!.text).toBe(striking);
    const bare = join(folder, 'bare.txt');
    writeFileSync(bare, '\n\n');
    const empty = finishRun(scanCorpus(options({ files: corpusFiles([bare]) })));
    await expect(empty).rejects.toThrow(UserError);
    await expect(empty).rejects.toThrow(`there is no sentence of at most 24 tokens in ${bare}`);
  });

  it('keeps what it found when it is stopped', async () => {
    const controller = new AbortController();
    const path = join(folder, 'very-long.txt');
    writeFileSync(path, dull.repeat(4000));
    const run = scanCorpus(
      options({
        files: corpusFiles([path]),
        cut: { unit: 'window', length: 8 },
        signal: controller.signal,
      }),
    );
    const result = await finishRun(run, (event) => {
      if (event.kind === 'candidate') controller.abort();
    });
    expect(result.frontier.length).toBeGreaterThan(0);
    expect(result.corpus.bytes_read).toBeLessThan(result.corpus.bytes / 2);
  });

  it('continues from any checkpoint to the result of a scan that was never stopped', async () => {
    const place = mkdtempSync(join(tmpdir(), 'superstim-resume-'));
    const said = Array.from(
      { length: 300 },
      (_, i) => `${i % 3 ? dull : striking} Number ${i % 40} was there.`,
    );
    writeFileSync(join(place, 'a.txt'), said.slice(0, 90).join('\n'));
    writeFileSync(join(place, 'b.txt.gz'), gzipSync(said.slice(90).join('\n')));
    const whole = options({ files: corpusFiles([place]), top: 3 });
    const texts: string[] = [];
    const saving = {
      everySeconds: 0,
      save: (checkpoint: ScanCheckpoint) => void texts.push(JSON.stringify(checkpoint)),
    };
    const withoutTime = ({ cost: { seconds: _, ...cost }, ...rest }: CorpusResult) => ({ ...rest, cost });
    const expected = withoutTime(await finishRun(scanCorpus({ ...whole, saving })));
    const checkpoints = texts.map((text) => scanCheckpoint.parse(JSON.parse(text)));
    expect(checkpoints.length).toBeGreaterThan(4);
    expect(checkpoints.some(({ waiting }) => waiting.some(([, rows]) => rows.length > 0))).toBe(true);
    const inSecondFile = checkpoints.find(({ place }) => place.file === 1);
    for (const checkpoint of [checkpoints[0]!, inSecondFile!, checkpoints.at(-1)!]) {
      const events: RunEvent[] = [];
      const earlier = { checkpoint, clock: 100 };
      const result = await finishRun(scanCorpus({ ...whole, earlier }), (event) => events.push(event));
      expect(withoutTime(result)).toEqual(expected);
      expect(result.cost.seconds).toBeGreaterThan(checkpoint.seconds);
      expect(events[0]!.at).toBeGreaterThanOrEqual(100);
    }
  });
});
