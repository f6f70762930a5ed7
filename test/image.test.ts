/** @file `superstim image` as users run it: the built command, its files, its refusals. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeModel, onnxTypes } from '../src/engine/compiler/onnx-proto.js';
import type { ImageDocument } from '../src/jobs/image-result.js';
import { readRun } from '../src/runs/read-run.js';
import { bin, type Ended, end, start } from './helpers/command.js';
import { writeTinyModel } from './vision/tiny-network.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-image-'));
afterAll(() => rmSync(place, { recursive: true }));
const model = writeTinyModel(join(place, 'tiny'));
const at = (name: string) => join(place, name);

type Printed = ImageDocument & { run: string };
const superstim = (...flags: string[]): Promise<Ended> =>
  end(start([bin, ...flags], { HF_HUB_OFFLINE: '1' }));
const image = (...flags: string[]): Promise<Ended> =>
  superstim('image', '--model', model, '--size', '32', '--steps', '6', '--runs', at('runs'), ...flags);
async function json(...flags: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await image(...flags, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Printed;
}

describe('superstim image', () => {
  it('lays the strongest pictures of a folder beside the synthetic one', async () => {
    const photos = at('photos');
    mkdirSync(photos);
    for (const [name, background] of Object.entries({ dark: '#101010', light: '#f0f0f0' }))
      await sharp({ create: { width: 40, height: 40, channels: 3, background } }).toFile(
        join(photos, `${name}.png`),
      );
    const { examples } = await json('--unit', 'two:0-1', '--examples', photos);
    expect(examples?.pictures).toBe(2);
    for (const { examples: found } of examples!.units) {
      expect(found.map(({ file }) => file).sort()).toEqual(['dark.png', 'light.png']);
      expect(found[0]!.mean).toBeGreaterThanOrEqual(found[1]!.mean);
    }
    const { width, height } = await sharp(examples!.image!).metadata();
    // Three columns: the synthetic picture and two photographs; two rows a unit.
    expect(width).toBe(3 * 36 + 4);
    expect(height).toBeGreaterThan(4 * 36);
    const refused = await image('--unit', 'two:0', '--examples', at('nowhere'));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('nowhere')]);
  }, 60_000);

  it('writes the picture, its run folder and the animation of every step', async () => {
    const [gif, webp] = [at('a.gif'), at('a.webp')];
    const flags = ['--unit', 'two:0', '--param', 'pixel', '--start', 'black'];
    const document = await json(...flags, '--out', at('a.png'), '--gif', gif);
    expect(document).toMatchObject({ unit: 'two:0', image: at('a.png'), animation: gif, cost: { steps: 6 } });
    expect(document.activation.curve).toHaveLength(6);
    expect(document.activation.final).toBeGreaterThan(document.activation.start);
    const picture = await sharp(at('a.png')).metadata();
    expect([picture.width, picture.height]).toEqual([32, 32]);
    expect((await sharp(gif, { animated: true }).metadata()).pages).toBe(7);
    // The first frame is black.
    const first = await sharp(gif, { page: 0 }).removeAlpha().raw().toBuffer();
    expect(Math.max(...first)).toBe(0);
    const run = readRun(document.run);
    expect([run.state, run.missing]).toEqual(['done', []]);
    expect(run.events.filter(({ kind }) => kind === 'frame')).toHaveLength(7);
    expect(readdirSync(join(document.run, 'frames'))).toHaveLength(7);
    expect(run.description).toMatchObject({
      job: { task: 'image', units: ['two:0'], seed: 0 },
      model: { name: 'tiny' },
    });
    await json(...flags, '--gif', webp);
    expect(await sharp(webp, { animated: true }).metadata()).toMatchObject({ format: 'webp', pages: 7 });
  });

  it('makes a sheet of a range, names the silent, and repeats itself', async () => {
    const flags = ['--unit', 'two:0-4', '--unit', 'two:6', '--steps', '24', '--json', '--out'];
    const [first, second] = await Promise.all([
      image(...flags, at('sheet.png')),
      image(...flags, at('again.png')),
    ]);
    expect(first.stderr).toMatch(
      /^warning: two:6 is silent in all \d+ steps: try more steps or a larger rate\n$/,
    );
    const document = JSON.parse(first.stdout) as ImageDocument;
    expect(document.units.map(({ unit }) => unit)).toEqual([0, 1, 2, 3, 4, 6].map((c) => `two:${c}`));
    expect(document.units.filter(({ dead }) => dead).map(({ unit }) => unit)).toEqual(['two:6']);
    expect(readFileSync(at('sheet.png'))).toEqual(readFileSync(at('again.png')));
    expect((await sharp(at('sheet.png')).metadata()).width).toBeGreaterThan(3 * 32);
    expect(second.code).toBe(0);
  });

  it('starts from a picture', async () => {
    await sharp({ create: { width: 50, height: 40, channels: 3, background: '#30a060' } })
      .png()
      .toFile(at('start.png'));
    const { run } = await json('--unit', 'two:1', '--start', at('start.png'), '--steps', '1');
    const bytes = await sharp(join(run, 'frames/000000.png')).raw().toBuffer();
    expect([...bytes.subarray(0, 3)].every((byte, c) => Math.abs(byte - [48, 160, 96][c]!) < 4)).toBe(true);
  });

  it('lists the layers of a network', async () => {
    const { stdout } = await superstim('units', model);
    expect(stdout).toMatch(/two +Conv2D +two:0 to two:7 +32 x 32/);
  });

  writeFileSync(at('no-picture.png'), 'this is text');
  const refusals: [what: string, flags: string[], code: number, message: RegExp][] = [
    ['no unit', ['--unit', 'two'], 2, /cannot be read at "two": wanted is layer:4/],
    ['an unknown layer', ['--unit', 'tow:1'], 2, /no layer "tow"; did you mean "two"/],
    ['a wrong channel', ['--unit', 'two:8'], 2, /layer "two" of tiny has channels 0 to 7, not 8/],
    ['a range too long', ['--unit', 'two:0-999999999'], 2, /channels 0 to 7, not/],
    ['a wrong class', ['--unit', 'logit:4'], 2, /channels 0 to 3, not 4/],
    [
      'a place outside of the map',
      ['--unit', 'two:0@99,0'],
      2,
      /map of layer "two" is 32 x 32 here: @99,0 is outside/,
    ],
    [
      'a start that is not there',
      ['--unit', 'two:0', '--start', at('nothing.png')],
      1,
      /there is no picture .*nothing\.png/,
    ],
    [
      'a start that is no picture',
      ['--unit', 'two:0', '--start', at('no-picture.png')],
      1,
      /no-picture\.png cannot be read as a picture/,
    ],
    ['no size', ['--unit', 'two:0', '--size', '0'], 2, /must be 16 to 2048/],
    ['an absurd size', ['--unit', 'two:0', '--size', '1000000'], 2, /must be 16 to 2048/],
    [
      'an unknown transform',
      ['--unit', 'two:0', '--transforms', 'jiter:3'],
      2,
      /no transform "jiter"; did you mean "jitter"/,
    ],
    [
      'an animation into nowhere',
      ['--unit', 'two:0', '--gif', at('nowhere/a.gif')],
      1,
      /there is no folder .*nowhere/,
    ],
    [
      'an animation of no known kind',
      ['--unit', 'two:0', '--gif', at('a.avi')],
      2,
      /must end in \.gif or \.webp/,
    ],
    ['a picture that is no PNG', ['--unit', 'two:0', '--out', at('a.jpg')], 2, /must end in \.png/],
    ['a silent channel alone', ['--unit', 'two:6'], 1, /two:6 is silent in all \d+ steps: try more steps/],
    [
      'black phases',
      ['--unit', 'two:0', '--param', 'maco', '--start', 'black'],
      2,
      /cannot start from black/,
    ],
    ['a direction of no file', ['--unit', 'direction(two, none.safetensors#a)'], 1, /none\.safetensors/],
  ];
  it.each(refusals)('refuses %s', async (_what, flags, code, message) => {
    const ended = await image(...flags);
    expect(ended.stderr).toMatch(message);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(
      ended.stderr
        .replace(/^warning: .*\n/, '')
        .trim()
        .split('\n'),
    ).toHaveLength(1);
  });

  it('names an operator of ONNX that is not supported', async () => {
    const value = (name: string) => ({
      name,
      type: {
        tensorType: {
          elemType: onnxTypes.float,
          shape: { dim: [1, 3, 32, 32].map((dimValue) => ({ dimValue })) },
        },
      },
    });
    const nodes = ['Relu', 'Einsum', 'Relu'].map((opType, i) => ({
      opType,
      name: `node${i}`,
      input: [i === 0 ? 'x' : `v${i - 1}`],
      output: [`v${i}`],
      attribute: [],
    }));
    const model = encodeModel({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 20 }],
      graph: { name: 'odd', node: nodes, initializer: [], input: [value('x')], output: [value('v2')] },
    });
    writeFileSync(at('odd.onnx'), model);
    const flags = ['--model', at('odd.onnx'), '--unit', 'node2:0', '--runs', at('runs')];
    const { code, stdout, stderr } = await superstim('image', ...flags);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/layer "node2" cannot be computed: .*the operator Einsum is not supported/);
  });

  it('refuses a damaged shard, a language model, and nothing at all', async () => {
    const damaged = writeTinyModel(join(place, 'damaged'));
    truncateSync(join(damaged, 'group1-shard1of1.bin'), 1000);
    const refused = async (model: string, message: RegExp) => {
      const ended = await superstim('image', '--model', model, '--unit', 'two:0', '--runs', at('runs'));
      expect([ended.code, ended.stdout]).toEqual([1, '']);
      expect(ended.stderr).toMatch(message);
    };
    await refused(damaged, /group1-shard1of1\.bin holds 1000 bytes where/);
    await refused('books-lm', /books-lm is no vision network/);
    await refused(at('nothing-here'), /there is no folder/);
    expect(existsSync(at('picture.png'))).toBe(false);
  });
});
