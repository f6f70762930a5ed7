/** @file Bad input: one sentence and an exit code. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import { books, place, runs, sentence, superstim } from '../helpers/superstim.js';

const embedded = fileURLToPath(new URL('../../models/books-lm', import.meta.url));

/** A copy of the embedded model, changed for the worse. */
function broken(name: string, change: (folder: string) => void): string {
  const folder = join(place, name);
  mkdirSync(folder);
  for (const file of readdirSync(embedded)) {
    const [from, to] = [join(embedded, file), join(folder, file)];
    if (file.endsWith('.safetensors')) symlinkSync(from, to);
    else cpSync(from, to, { recursive: true });
  }
  change(folder);
  return folder;
}

function withConfig(changes: Record<string, unknown>): (folder: string) => void {
  return (folder) => {
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  };
}

describe('bad input', () => {
  /** One sentence on stderr, nothing on stdout, no stack. */
  async function complaint(...flags: string[]): Promise<{ code: number | null; sentence: string }> {
    const { code, stdout, stderr } = await superstim(flags);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    return { code, sentence: stderr.slice('error: '.length).trimEnd() };
  }
  const score = (...flags: string[]) => complaint('score', ...sentence, ...flags);
  const text = (...flags: string[]) =>
    complaint('text', ...books, '--evaluations', '10', '--out', runs, ...flags);

  it.each<[what: string, flags: string[], sentence: string]>([
    [
      'an unknown unit',
      ['--unit', 'L1.X3'],
      '"L1.X3" names no unit of this model: it has heads L0.H0 to L3.H7',
    ],
    ['a channel', ['--unit', 'conv1:3'], '"conv1:3" names no unit of this model'],
    [
      'a layer out of range',
      ['--unit', 'L9.H0'],
      'L9.H0 is outside this model: its layers are numbered 0 to 3',
    ],
    [
      'a head out of range',
      ['--unit', 'L0.H8'],
      'L0.H8 is outside this model: its heads are numbered 0 to 7',
    ],
    ['a token that is none', ['--unit', 'logit: xyzzy'], '" xyzzy" is not one token of this model'],
    [
      'an unknown measure',
      ['--unit', 'L0.H0', '--measure', 'size'],
      'It must be delta, raw, attention, logits or',
    ],
    [
      'an unknown reference class',
      ['--unit', 'L0.H0', '--reference', 'class'],
      'the reference class "class" is none of',
    ],
    [
      'a reference layer out of range',
      ['--unit', 'L0.H0', '--reference', 'layer:4'],
      'layers are numbered 0 to 3',
    ],
    [
      'an unknown option',
      ['--unit', 'L0.H0', '--refrence', 'all'],
      "unknown option '--refrence' (Did you mean",
    ],
    [
      'an unknown engine',
      ['--unit', 'L0.H0', '--engine', 'gpu'],
      'Allowed choices are onnx, tensorflow, cpu.',
    ],
  ])('of both commands: %s', async (_, flags, words) => {
    for (const { code, sentence } of await Promise.all([score(...books, ...flags), text(...flags)])) {
      expect(code).toBe(2);
      expect(sentence).toContain(words);
    }
  });

  it('score: an empty text, a text longer than the context, no text', async () => {
    const flags = ['score', ...books, '--unit', 'L0.H0'];
    const empty = await complaint(...flags, '--text', '');
    expect(empty).toEqual({ code: 2, sentence: 'the text is empty: give at least one token with --text' });
    const long = await complaint(...flags, '--text', 'word '.repeat(300));
    expect(long.code).toBe(2);
    expect(long.sentence).toMatch(
      /^the text has \d{3} tokens, too many for the model's context of 256 tokens, one of which is BOS/,
    );
    expect(await complaint(...flags)).toMatchObject({
      code: 2,
      sentence: 'give --text or --text-file',
    });
  });

  it.each<[what: string, flags: string[], sentence: string]>([
    ['no evaluations', ['--evaluations', '0'], 'It must be a whole number from 1 to 1000000000.'],
    ['no seconds', ['--evaluations', '0', '--seconds', '0'], 'It must be a'],
    ['two budgets', ['--seconds', '3'], 'cannot be used with option'],
    ['an unknown method', ['--method', 'magic'], 'Allowed choices are auto, evolve,'],
    ['no length', ['--length', '0'], 'It must be a whole number from 1 to 100000.'],
    [
      'a length beyond the context',
      ['--length', '256'],
      "--length 256 does not fit the model's context of 256 tokens",
    ],
  ])('text: %s', async (_, flags, words) => {
    const { code, sentence } = await text('--unit', 'L0.H0', ...flags);
    expect(code).toBe(2);
    expect(sentence).toContain(words);
  });

  it.each<[what: string, change: (folder: string) => void, sentence: RegExp]>([
    [
      'an unknown architecture',
      withConfig({ model_type: 'lama' }),
      /architecture "lama".*--family llama reads it as its nearest relative, which may give wrong numbers$/,
    ],
    [
      'a config that is no JSON',
      (at) => writeFileSync(join(at, 'config.json'), '{'),
      /config\.json is not valid JSON$/,
    ],
    [
      'missing safetensors',
      (at) => rmSync(join(at, 'model.safetensors')),
      /has no model\.safetensors and no/,
    ],
    [
      'truncated safetensors',
      (at) => cutWeights(at, 1_000_000),
      /is cut short: it has 1000000 bytes of at least \d+/,
    ],
    ['safetensors cut in the header', (at) => cutWeights(at, 100), /is cut short: it has 100 bytes/],
    [
      'a width that disagrees',
      withConfig({ hidden_size: 96 }),
      /disagree: "model\.embed_tokens\.weight" should be of/,
    ],
    [
      'more layers than weights',
      withConfig({ num_hidden_layers: 5 }),
      /disagree: there is no "model\.layers\.4\./,
    ],
    [
      'fewer layers than weights',
      withConfig({ num_hidden_layers: 3 }),
      /disagree: there is "model\.layers\.3\..* but only 3/,
    ],
    [
      'no tokenizer',
      (at) => rmSync(join(at, 'tokenizer.json')),
      /has no tokenizer\.json; save the model's tokenizer/,
    ],
    [
      'another tokenizer',
      (at) => writeFileSync(join(at, 'tokenizer.json'), '{}'),
      /tokenizer\.json cannot be used: /,
    ],
  ])('a model folder with %s', async (what, change, words) => {
    const folder = broken(what.replaceAll(' ', '-'), change);
    const { code, sentence } = await score('--model', folder, '--unit', 'L0.H0');
    expect(code).toBe(1);
    expect(sentence).toMatch(words);
    expect(sentence).toContain(folder);
  });

  function cutWeights(folder: string, bytes: number): void {
    const path = join(folder, 'model.safetensors');
    rmSync(path);
    cpSync(join(embedded, 'model.safetensors'), path);
    truncateSync(path, bytes);
  }

  it('a model that is not there', async () => {
    const missing = (name: string) => score('--model', name, '--unit', 'L0.H0');
    expect(await missing('book-lm')).toEqual({
      code: 1,
      sentence: expect.stringMatching(/^there is no model "book-lm"; did you mean "books-lm"\?/),
    });
    expect((await missing('./nowhere')).sentence).toMatch(/^there is no folder \.\/nowhere; check the path/);
    expect((await missing('no/where')).sentence).toContain('HF_HUB_OFFLINE is set');
    expect((await missing(place)).sentence).toContain('holds no model');
  });

  it('an output folder that cannot be written', async () => {
    const file = join(place, 'a-file');
    writeFileSync(file, '');
    const under = await text('--unit', 'L0.H0', '--out', join(file, 'runs'));
    expect(under).toMatchObject({
      code: 1,
      sentence: expect.stringContaining('a part of that path is a file'),
    });
    if (process.platform !== 'linux') return;
    expect(await text('--unit', 'L0.H0', '--out', '/proc/runs')).toMatchObject({ code: 1 });
  });

  it('texts that are no texts', async () => {
    const [latin, bare] = [join(place, 'latin.txt'), join(place, 'bare.txt')];
    writeFileSync(latin, Buffer.from('Un caf\xe9 noir. '.repeat(50), 'latin1'));
    writeFileSync(bare, '');
    const corpus = (file: string) => complaint('corpus', '--unit', 'L0.H0', '--out', runs, file);
    const notUtf8 = {
      code: 1,
      sentence: expect.stringContaining(`${latin}: byte 6 of its text (0xe9) is not UTF-8`),
    };
    expect(await corpus(latin)).toMatchObject(notUtf8);
    expect(await text('--unit', 'L0.H0', '--quiet-on', latin)).toMatchObject(notUtf8);
    expect(await score(...books, '--unit', 'L0.H0', '--calibrate-on', latin)).toMatchObject(notUtf8);
    expect(await corpus(bare)).toMatchObject({
      code: 1,
      sentence: expect.stringContaining('there is no window of 12 tokens'),
    });
    expect(await text('--unit', 'L0.H0', '--quiet-on', 'missing.txt')).toMatchObject({
      code: 1,
      sentence: expect.stringContaining('could not read missing.txt: there is no such file'),
    });
  });

  it('files that are not there or are no such files', async () => {
    const corpus = join(place, 'short.txt');
    writeFileSync(corpus, 'too short');
    const calibrated = (file: string) => score(...books, '--unit', 'L0.H0', '--calibrate-on', file);
    expect((await calibrated(join(place, 'none.txt'))).sentence).toContain('there is no such file');
    expect((await calibrated(corpus)).sentence).toContain('is too short');

    const directions = join(place, 'directions.safetensors');
    writeSafetensors(directions, [['short', { shape: [3], data: new Float32Array(3) }]]);
    const direction = (name: string) => score(...books, '--unit', `L1.D:${name}`);
    expect((await direction(`${directions}.x#d`)).sentence).toContain('there is no such file');
    expect((await direction(`${directions}#long`)).sentence).toContain('has no array named "long"');
    expect(await direction(`${directions}#short`)).toEqual({
      code: 2,
      sentence: `"short" in ${directions} has shape [3]; a direction of this model is [192]`,
    });
  });

  it.each([
    [
      ['--model', 'tiny-vgg', '--units', 'block2_conv1:*', '--corpus', 'a.txt'],
      '--corpus is for language models',
    ],
    [['--units', 'L0.H*', '--steps', '4'], '--steps is for vision networks'],
  ])('atlas: %j', async (flags, words) => {
    const { code, sentence } = await complaint('atlas', ...flags);
    expect([code, sentence]).toEqual([2, expect.stringContaining(words)]);
  });
});
