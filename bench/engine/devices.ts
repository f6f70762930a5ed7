/**
 * The same work on every device that can be used here, in turn in one run: what each takes, and how far its values are from
 * those of the cpu.
 *
 *   npx tsx bench/engine/devices.ts [--small] [--devices cpu,webgpu] [--rounds 3] [--json FILE]
 *
 * - value and gradient of GPT-2 small's body, 32 x 16; its forward pass with the cross entropy, 256 x 12; both also as they are
 *   computed where a percent is good enough: in 8 bits, on a GPU in half precision
 * - a step of a picture on VGG19, 300 px (its shapes are read from ../shared, as in bench/image)
 * - 256 evaluations of `auto` on GPT-2 small's shape (`--small`: on books-lm, on the cpu alone: the shaders of its graphs take a
 *   software GPU many minutes)
 *
 * `--small`: small networks, for a software GPU. It shows that values are right, not how fast a GPU is. (SwiftShader:
 * VK_ICD_FILENAMES=VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json.) PyTorch is measured beside the first two where
 * SUPERSTIM_PYTHON names a Python that has it, on the device SUPERSTIM_TORCH_DEVICE (cpu, or cuda).
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  compile,
  type Device,
  deviceNames,
  deviceTrouble,
  type Precision,
} from '../../src/engine/compile.js';
import { engineOn } from '../../src/engine/engine-names.js';
import type { TypedArray } from '../../src/engine/tensor-spec.js';
import { openNetwork } from '../../src/index.js';
import { parseConfig } from '../../src/text/lm/config.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import { parameterShapes } from '../../src/text/lm/parameters.js';
import { searchText } from '../../src/text/search/search.js';
import { childContestant, median } from '../contest.js';
import { bodyGradient, crossEntropy, inputsOf, type Workload, weightFile } from './workload.js';

const { values: flags } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    devices: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const { small } = flags;

/** Milliseconds of each round, and figures that are the same on every device. */
interface Measured {
  readonly milliseconds: number[];
  readonly values: Float32Array;
}
type Work = (device: Device) => Promise<Measured>;

async function functions(): Promise<Record<string, Workload>> {
  if (!small) {
    const { workloads } = await import('./workloads.js');
    return {
      'gpt2-gradient': workloads['gpt2-gradient']!,
      'gpt2-cross-entropy': workloads['gpt2-cross-entropy']!,
    };
  }
  const sizes = { n_layer: 2, n_head: 2, n_embd: 64, vocab_size: 512, n_positions: 64 };
  const spec = parseConfig({ model_type: 'gpt2', ...sizes }, 'gpt2');
  const model = { spec, weights: weightFile('gpt2-of-two-layers', parameterShapes(spec)) };
  return { 'gpt2-gradient': bodyGradient(model, 4, 8), 'gpt2-cross-entropy': crossEntropy(model, 16, 8) };
}

/** A compiled function, warm: the first run is not counted. */
function compiled(workload: Workload, precision: Precision = 'float32'): Work {
  const inputs = inputsOf(workload);
  return async (device) => {
    const program = await compile(workload.fn, { ...workload, precision, engine: engineOn('onnx', device) });
    let result = await program.run(inputs);
    const milliseconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      result = await program.run(inputs);
      milliseconds.push(performance.now() - start);
    }
    program.dispose();
    const arrays = Object.values(result).map((array: TypedArray) => Array.from(array));
    return { milliseconds, values: Float32Array.from(arrays.flat()) };
  };
}

/** Steps of a picture, from one `step` event to the next; the first two, which compile, are not counted. */
function picture(network: string, unit: string, size: number): Work {
  return async (device) => {
    const steps = rounds + 2;
    const open = await openNetwork(network);
    const run = open.render(unit, {
      device,
      size,
      steps,
      seed: 1,
      transforms: 'none',
      parameterization: 'pixel',
    });
    const at: number[] = [];
    const activations: number[] = [];
    for await (const event of run)
      if (event.kind === 'step') {
        at.push(performance.now());
        activations.push(...Object.values(event.metrics));
      }
    await open.dispose();
    return {
      milliseconds: at.slice(2).map((time, i) => time - at[i + 1]!),
      values: Float32Array.from(activations),
    };
  };
}

interface Asked {
  readonly unit: string;
  readonly evaluations: number;
  /** Tokens of a text. */
  readonly length: number;
  readonly calibrationText?: string;
}

/** A search, by 256 evaluations; its first turn, which compiles, is not counted. */
function search(model: TextModel, { unit, evaluations, length, calibrationText }: Asked): Work {
  return async (device) => {
    const run = searchText({
      model,
      unit,
      method: 'auto',
      seed: 0,
      engine: engineOn('onnx', device),
      measure: 'delta',
      at: 'max',
      reference: 'none',
      length,
      budget: { evaluations },
      baseline: false,
      finalists: 0,
      ...(calibrationText !== undefined && { calibrationText }),
    });
    const marks: { at: number; done: number }[] = [];
    const best: number[] = [];
    for await (const event of run) {
      if (event.kind === 'progress' && event.budget === 'evaluations')
        marks.push({ at: performance.now(), done: event.done });
      if (event.kind === 'candidate' && best.length < 8) best.push(event.candidate.z);
    }
    const [from, to] = [marks.find(({ done }) => done > 0)!, marks.at(-1)!];
    return {
      milliseconds: [((to.at - from.at) * 256) / (to.done - from.done)],
      values: Float32Array.from(best),
    };
  };
}

async function works(): Promise<Record<string, Work>> {
  const named = Object.entries(await functions()).flatMap(([name, one]): [string, Work][] => [
    [name, compiled(one)],
    [`${name} (rough)`, compiled(one, 'rough')],
  ]);
  if (small) {
    const model = await loadTextModel(fileURLToPath(new URL('../../models/books-lm', import.meta.url)));
    return {
      ...Object.fromEntries(named),
      'picture-step': picture('tiny-vgg', 'block2_conv1:4', 32),
      auto: search(model, { unit: 'L1.N8', evaluations: 600, length: 12 }),
    };
  }
  const { networkFile } = await import('../image/networks.js');
  const { randomGpt2 } = await import('../search/random-gpt2.js');
  const { model, calibrationText } = await randomGpt2();
  return {
    ...Object.fromEntries(named),
    'picture-step': picture(networkFile('vgg19'), 'block4_conv1:4', 300),
    auto: search(model, { unit: 'L6.N1000', evaluations: 3000, length: 12, calibrationText }),
  };
}

/** The largest difference, as a share of the largest value. */
function difference(values: Float32Array, ofCpu: Float32Array): number {
  const scale = ofCpu.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);
  return values.reduce((most, x, i) => Math.max(most, Math.abs(x - ofCpu[i]!)), 0) / scale;
}

const usable: Device[] = [];
for (const device of (flags.devices?.split(',') ?? deviceNames) as Device[]) {
  const trouble = await deviceTrouble(device);
  if (trouble === null) usable.push(device);
  else console.error(`${device} is left out: ${trouble}`);
}
const python = small ? undefined : process.env.SUPERSTIM_PYTHON;
const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
const torch =
  python && (await childContestant(python, [script, process.env.SUPERSTIM_TORCH_DEVICE ?? 'cpu']));
if (!torch) console.error('pytorch is left out: SUPERSTIM_PYTHON names no Python, or networks are small');

const claims: { claim: string; values: number[]; unit: string }[] = [];
for (const [name, work] of Object.entries(await works())) {
  let ofCpu: Float32Array | undefined;
  const record = (who: string, milliseconds: number[], note = '') => {
    claims.push({ claim: `${name} on ${who}`, values: milliseconds, unit: 'ms' });
    console.log(`${name.padEnd(26)} ${who.padEnd(8)} ${median(milliseconds).toFixed(1)} ms${note}`);
  };
  for (const device of usable) {
    if (small && name === 'auto' && device !== 'cpu') {
      console.error(`${name} is left out on ${device}, with --small`);
      continue;
    }
    const { milliseconds, values } = await work(device);
    if (device === 'cpu') ofCpu = values;
    const off = ofCpu && device !== 'cpu' ? difference(values, ofCpu) : null;
    record(device, milliseconds, off === null ? '' : `  largest difference ${off.toExponential(1)}`);
    if (off !== null)
      claims.push({ claim: `${name} on ${device}: largest difference from cpu`, values: [off], unit: '1' });
  }
  if (!torch || !name.startsWith('gpt2') || name.endsWith('(rough)')) continue;
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) times.push(await torch.contestant(name));
  record('pytorch', times.slice(1));
}
if (torch) torch.stop();
if (flags.json) {
  const source = {
    command: `npx tsx bench/engine/devices.ts ${process.argv.slice(2).join(' ')}`,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores, ${cpus()[0]!.model.trim()}; say here which GPU, and what else ran`,
  };
  writeFileSync(flags.json, `${JSON.stringify([{ ...source, claims }], null, 2)}\n`);
}
process.exit();
