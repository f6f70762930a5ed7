/**
 * How long `auto` takes to be worth as much as EPO: seconds until its hypervolume is that of some of EPO's iterations (8 x 32
 * children of 12 tokens), as a share of what as many iterations take in PyTorch. EPO's own search is computed by ours, which
 * is the same but faster. `auto` is timed with all that it opens and compiles, but for the calibration, which EPO needs too.
 *
 *   SUPERSTIM_PYTHON=python3 npx tsx bench/search/worth.ts --model DIR --units L20.H3,L10.N100 [--iterations 30] [--seed 0]
 *     [--seconds 60] [--rounds 5]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Frontier, hypervolume } from '../../src/core/frontier.js';
import type { ScoredText } from '../../src/core/scored-text.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { type SearchMethodName, searchText } from '../../src/text/search/search.js';
import { childContestant, median } from '../contest.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/books-lm' },
    units: { type: 'string', default: 'L2.H4' },
    iterations: { type: 'string', default: '30' },
    seed: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
  },
});
const [MEMBERS, CHILDREN] = [8, 32];
const iterations = Number(flags.iterations);
const model = await loadTextModel(flags.model);
const modelHash = await hashModel(flags.model);

/** Seconds, and the hypervolume then: at the end of the budget, or as soon as it is `goal`. */
async function search(
  unit: string,
  method: SearchMethodName,
  budget: { evaluations: number } | { seconds: number },
  goal = Number.POSITIVE_INFINITY,
): Promise<{ seconds: number; area: number }> {
  const start = performance.now();
  const run = searchText({
    model,
    modelHash,
    unit,
    method,
    seed: Number(flags.seed),
    engine: 'onnx',
    measure: 'delta',
    at: 'max',
    reference: 'layer',
    length: 12,
    budget,
    baseline: false,
    finalists: 0,
  });
  const frontier = new Frontier<ScoredText>();
  for await (const event of run) {
    if (event.kind === 'candidate') frontier.add(event.candidate);
    if (event.kind === 'progress' && hypervolume(frontier.members) >= goal) break;
  }
  return { seconds: (performance.now() - start) / 1000, area: hypervolume(frontier.members) };
}

const python = process.env.SUPERSTIM_PYTHON;
if (python === undefined) throw new Error('SUPERSTIM_PYTHON names no Python');
const script = fileURLToPath(new URL('epo_iteration.py', import.meta.url));
const epo = await childContestant(python, [script, flags.model, '0', '0']);
const milliseconds: number[] = [];
for (let round = 0; round <= Number(flags.rounds); round++) {
  const time = await epo.contestant('');
  if (round > 0) milliseconds.push(time);
}
epo.stop();
const theirs = (iterations * median(milliseconds)) / 1000;
console.log(`${iterations} iterations of EPO in PyTorch: ${theirs.toFixed(1)} s`);

const shares: number[] = [];
for (const unit of flags.units.split(',')) {
  const evaluations = MEMBERS + iterations * MEMBERS * CHILDREN;
  const { area: goal } = await search(unit, 'epo', { evaluations });
  const { seconds, area } = await search(unit, 'auto', { seconds: Number(flags.seconds) }, goal);
  const reached = area >= goal;
  shares.push(reached ? seconds / theirs : Number.POSITIVE_INFINITY);
  console.log(
    `${unit.padEnd(10)} EPO ${goal.toFixed(2)}  auto ${area.toFixed(2)} after ${seconds.toFixed(1)} s, ` +
      `${reached ? shares.at(-1)!.toFixed(3) : 'not reached'}`,
  );
}
console.log(`auto / pytorch  median ${median(shares).toFixed(3)}  largest ${Math.max(...shares).toFixed(3)}`);
process.exit();
