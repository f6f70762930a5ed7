/**
 * Value and gradient on the compiled engine, beside eager tfjs-node and PyTorch, in turn in one run.
 *
 *   npm run build && SUPERSTIM_PYTHON=python3 NODE_PATH=…/node_modules npx tsx bench/engine/index.ts [--rounds 5] [--json FILE]
 *
 * PyTorch is measured where SUPERSTIM_PYTHON names a Python that has it, tfjs-node where it is installed.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Compiled, compile } from '../../src/engine/compile.js';
import { type Contestant, childContestant, contest } from '../contest.js';
import { inputsOf } from './workload.js';
import { workloads } from './workloads.js';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'string' } },
});
const rounds = Number(flags.rounds);

async function ours(engine: 'onnx' | 'tensorflow'): Promise<Contestant> {
  const ready = new Map<string, { compiled: Compiled; inputs: Record<string, Float32Array | Int32Array> }>();
  return async (name) => {
    const workload = workloads[name]!;
    const known = ready.get(name) ?? {
      compiled: await compile(workload.fn, { ...workload, engine }),
      inputs: inputsOf(workload),
    };
    ready.set(name, known);
    const start = performance.now();
    await known.compiled.run(known.inputs);
    return performance.now() - start;
  };
}

const contestants = new Map<string, Contestant>([['onnx', await ours('onnx')]]);
try {
  const tensorflow = await ours('tensorflow');
  await tensorflow('vgg16-gradient');
  contestants.set('tensorflow', tensorflow);
} catch (error) {
  console.error(`tensorflow is left out: ${(error as Error).message}`);
}
const torch = process.env.SUPERSTIM_PYTHON
  ? await childContestant(process.env.SUPERSTIM_PYTHON, [
      fileURLToPath(new URL('pytorch.py', import.meta.url)),
    ])
  : undefined;
if (torch) contestants.set('pytorch', torch.contestant);
else console.error('pytorch is left out: SUPERSTIM_PYTHON names no Python');

const results = await contest(Object.keys(workloads), contestants, rounds);
torch?.stop();
if (flags.json)
  writeFileSync(flags.json, JSON.stringify({ rounds, pytorch: torch?.about ?? null, results }, null, 1));
process.exit();
