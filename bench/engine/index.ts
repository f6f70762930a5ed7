/**
 * Value and gradient on the compiled engine, beside eager tfjs-node and PyTorch, in turn in one run.
 *
 *   npm run build && SUPERSTIM_PYTHON=python3 NODE_PATH=…/node_modules npx tsx bench/engine/index.ts [--rounds 5] [--json FILE]
 *
 * PyTorch is measured where SUPERSTIM_PYTHON names a Python that has it, tfjs-node where it is installed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Compiled, compile } from '../../src/engine/compile.js';
import { inputsOf, workloads } from './workloads.js';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'string' } },
});
const rounds = Number(flags.rounds);

/** Something that runs a workload once and says how many milliseconds it took. */
type Contestant = (workload: string) => Promise<number>;

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

async function pytorch(python: string): Promise<{ contestant: Contestant; stop(): void; about: unknown }> {
  const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] }) as ChildProcessByStdio<
    Writable,
    Readable,
    null
  >;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value as string) as Record<string, number>;
  const about = await next();
  return {
    about,
    contestant: async (name) => {
      child.stdin.write(`${name}\n`);
      return (await next()).milliseconds!;
    },
    stop: () => child.stdin.end(),
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
const torch = process.env.SUPERSTIM_PYTHON ? await pytorch(process.env.SUPERSTIM_PYTHON) : undefined;
if (torch) contestants.set('pytorch', torch.contestant);
else console.error('pytorch is left out: SUPERSTIM_PYTHON names no Python');

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
const results: Record<string, Record<string, { milliseconds: number; all: number[] }>> = {};
for (const name of Object.keys(workloads)) {
  const times = new Map([...contestants.keys()].map((who) => [who, [] as number[]]));
  // One round to compile and warm up, then everyone in turn.
  for (let round = 0; round <= rounds; round++) {
    for (const [who, run] of contestants) {
      const milliseconds = await run(name);
      if (round > 0) times.get(who)!.push(milliseconds);
    }
  }
  results[name] = Object.fromEntries(
    [...times].map(([who, all]) => [who, { milliseconds: median(all), all }]),
  );
  const row = results[name]!;
  const ratio = (who: string) =>
    row[who] ? `  onnx / ${who} ${(row.onnx!.milliseconds / row[who]!.milliseconds).toFixed(2)}` : '';
  const cells = Object.entries(row).map(([who, { milliseconds }]) => `${who} ${milliseconds.toFixed(0)} ms`);
  console.log(`${name.padEnd(20)} ${cells.join('  ')}${ratio('pytorch')}${ratio('tensorflow')}`);
}
torch?.stop();
if (flags.json)
  writeFileSync(flags.json, JSON.stringify({ rounds, pytorch: torch?.about ?? null, results }, null, 1));
process.exit();
