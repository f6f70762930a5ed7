/** Whether a dictionary fits the model: what is said of one that does, and of one that does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { calibrationOn, randomModel, tinyConfigs, unitsOf } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { writeSafetensors } from '../../engine/weights/safetensors.js';

const root = mkdtempSync(join(tmpdir(), 'latent-'));
afterAll(() => rmSync(root, { recursive: true }));

const model = randomModel(tinyConfigs.llama);
const width = model.spec.dModel;
const size = 3 * width;
const positions = 7;

/** Latents are the parts of the stream and their negatives, and a third that is never active. */
function write(name: string, gain: number): string {
  const folder = mkdtempSync(join(root, name));
  const encoder = new Float32Array(width * size);
  const decoder = new Float32Array(size * width);
  for (let i = 0; i < width; i++) {
    for (const [latent, sign] of [
      [i, 1],
      [width + i, -1],
    ] as const) {
      encoder[i * size + latent] = sign;
      decoder[latent * width + i] = sign * gain;
    }
  }
  const arrays = { W_enc: [width, size], W_dec: [size, width], b_enc: [size], b_dec: [width] } as const;
  const data = {
    W_enc: encoder,
    W_dec: decoder,
    b_enc: new Float32Array(size),
    b_dec: new Float32Array(width),
  };
  writeSafetensors(
    join(folder, 'sae_weights.safetensors'),
    Object.entries(arrays).map(([name, shape]) => [name, { shape, data: data[name as keyof typeof data] }]),
  );
  const config = {
    d_in: width,
    d_sae: size,
    hook_point: 'blocks.1.hook_resid_post',
    activation_fn_str: 'relu',
  };
  writeFileSync(join(folder, 'cfg.json'), JSON.stringify(config));
  return folder;
}

async function warnings(folder: string): Promise<unknown[]> {
  const random = new Random(3);
  const ids = Int32Array.from({ length: 9 * positions }, (_, i) =>
    i % positions === 0 ? 0 : random.integer(model.spec.vocab),
  );
  const calibration = calibrationOn(model, ids, positions);
  const { objective, reference } = unitsOf(model, `sae:${folder}#3`, 'random:4');
  for (const { group } of [objective.terms[0]!.readout, ...reference.parts])
    await calibration.statistics(group);
  return calibration.takeWarnings();
}

it('latents that are named are read together, whatever the number of names', () => {
  const folder = write('named', 1);
  const name = (index: number) => `sae:${folder}#${index}`;
  const others = Array.from({ length: size }, (_, i) => size - 1 - i).filter((index) => index !== 3);
  const listed = [...others.map(name), `-${name(5)}`, 'L0.N1'].join(', ');
  const { parts } = unitsOf(model, name(3), listed).reference;
  expect(parts.map(({ names, sign }) => [sign, ...names])).toEqual([
    [1, ...others.map(name)],
    [-1, `-${name(5)}`],
    [1, 'L0.N1'],
  ]);
  expect(parts[0]!.indices.map((index) => parts[0]!.group.unit(index).name)).toEqual(others.map(name));
});

it('a dictionary that explains what it reads is not remarked upon', async () => {
  expect(await warnings(write('good', 1))).toEqual([]);
});

it('one that does not is, once, with FVU, L0 and the usual causes', async () => {
  const found = await warnings(write('bad', -1));
  expect(found).toEqual([
    { kind: 'warning', message: expect.stringMatching(/FVU\).* 12\.0 of 36 latents .* missing BOS/) },
  ]);
});
