/** Small files that show what real networks showed: every layer as ONNX Runtime computes it, and what is said of the rest. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatUnits, visionUnits } from '../../src/cli/results/units.js';
import { Random } from '../../src/core/random.js';
import { finishRun } from '../../src/runs/events.js';
import { fitInput } from '../../src/vision/input-fit.js';
import { parseUnitList } from '../../src/vision/objectives/unit-list.js';
import { holdsVisionNetwork, openVisionNetwork } from '../../src/vision/open.js';
import { range } from '../../src/vision/preprocess.js';
import { renderUnits } from '../../src/vision/render/render.js';
import { compareLayers } from './onnx-peer.js';

const folder = fileURLToPath(new URL('../../../shared/cases/vision', import.meta.url));
const open = (name: string) => openVisionNetwork(join(folder, name));

/** With how many layers each lists. */
const whole: readonly (readonly [string, number])[] = [
  ...([
    ['attention', 10],
    ['batch_minus1', 1],
    ['bn_behind_dense', 6],
    ['cast_bool', 3],
    ['cast_int', 3],
  ] as const),
  ...([
    ['cls_expand', 4],
    ['colon_name', 2],
    ['convtranspose', 2],
    ['depth2space', 2],
    ['detector', 8],
  ] as const),
  ...([
    ['flatten_neg', 3],
    ['ints_broadcast', 2],
    ['oom', 2],
    ['own_div255', 5],
    ['own_norm_255', 6],
  ] as const),
  ...([
    ['planes2', 2],
    ['pool2_ceil', 3],
    ['pool3_ceil', 3],
    ['pow_const_unsqueeze', 2],
  ] as const),
  ...([
    ['qkv_permute', 8],
    ['shuffle', 5],
    ['slice_negstep', 2],
    ['two_heads', 7],
    ['value_float_div', 2],
  ] as const),
  ...([['uint8_input', 2]] as const),
];

describe.skipIf(!existsSync(folder))('cases (needs ../shared/cases/vision)', () => {
  test.each(whole)('%s: every layer as ONNX Runtime has it', async (name, count) => {
    const network = open(`${name}.onnx`);
    const { height, width, channels } = network.input;
    const random = Random.of(0, name);
    const picture = random.normals(height * width * channels);
    const bytes = picture.map((value) => Math.max(0, Math.min(255, Math.round(128 + 60 * value))));
    const compared = await compareLayers(
      join(folder, `${name}.onnx`),
      network,
      name === 'uint8_input' ? bytes : picture,
    );
    expect(compared).toHaveLength(count);
    for (const { layer, difference } of compared) expect(difference, layer).toBeLessThan(1e-5);
  });

  test.each([
    ['own_norm_255.onnx', range(0, 255)],
    ['own_div255.onnx', range(0, 255)],
    ['uint8_input.onnx', range(0, 255)],
    ['tf_hub_scale', range(0, 1)],
  ])('%s: its own range', (name, expected) => {
    expect(open(name).input.preprocessing).toEqual(expected);
  });

  test('a late unit of own_norm_255 rises', async () => {
    const network = open('own_norm_255.onnx');
    const units = parseUnitList('Relu_7:3', network);
    const { units: rendered } = await finishRun(
      renderUnits({ network, units, size: 16, steps: 64, transforms: [] }),
    );
    expect(rendered[0]!.activation.final).toBeGreaterThan(2.5);
  });

  test('a guess is said, boxes judge nothing, and a batch norm behind dense layers is reached', async () => {
    expect((await fitInput(open('tf_mobilenet_finetuned'))).warning).toMatch(/-1 to 1, as networks with/);
    expect((await fitInput(open('detector.onnx'), range(0, 1))).warning).toBeNull();
    expect(() => open('detector.onnx').classLayer).toThrow(/does not end in class scores/);
    expect((await fitInput(open('bn_behind_dense.onnx'))).warning).toMatch(/does not say/);
    expect(() => open('two_heads.onnx').classLayer).toThrow(/"policy_head", "tanh"/);
  });

  test('what lies before something unsupported is there, and the rest is told', () => {
    expect(open('tf_topk').layers.map(({ name }) => name)).toEqual(['conv', 'relu', 'flat']);
    expect([...open('tf_topk').unreachable.keys()]).toEqual(['top', 'idx', 'Identity']);
    expect(open('tf_loop').layers.map(({ name }) => name)).toEqual(['conv', 'relu', 'Identity']);
    expect(open('tf_nchw').layer('conv')).toMatchObject({ channels: 4, size: [16, 16] });
    expect(holdsVisionNetwork(join(folder, 'tf_othername'))).toBe(true);
    expect(() => open('tf_othername')).toThrow(/name the file of the network, .*emotion\.json/);
    const printed = formatUnits({ model: 'colon', ...visionUnits(open('colon_name.onnx')) });
    expect(parseUnitList(/to (".*?":7)/.exec(printed)![1]!, open('colon_name.onnx'))).toHaveLength(1);
    expect([...open('oom.onnx').unreachable.values()].join()).toMatch(/makes a constant of \[25088,4096\]/);
  });

  test('planes that are no colours are drawn', async () => {
    const network = open('planes2.onnx');
    const units = parseUnitList('Relu_1:3', network);
    const preprocessing = range(0, 1, 2);
    const options = { network, units, preprocessing, size: 16, steps: 24, transforms: [] };
    const { units: rendered } = await finishRun(renderUnits(options));
    expect(rendered[0]!.picture.channels).toBe(2);
    expect(rendered[0]!.activation.final).toBeGreaterThan(2 * rendered[0]!.activation.start);
  });

  test.each([
    ['pool2_ceil.onnx', 129],
    ['pool3_ceil.onnx', 129],
    ['keras_pool2same', 33],
  ])('%s: a picture behind a pool', async (name, size) => {
    const network = open(name);
    const units = parseUnitList('conv2:1', network);
    const { units: rendered } = await finishRun(
      renderUnits({ network, units, size, steps: 24, transforms: [] }),
    );
    const { start, final } = rendered[0]!.activation;
    expect(final).toBeGreaterThan(start);
  });
});
