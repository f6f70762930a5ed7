/**
 * One iteration of the discrete search at EPO's setting beside EPO's own in PyTorch, in turn in one run: 256 children of
 * 12 tokens, a neuron in the middle of a model of GPT-2 small's size with random weights.
 *
 *   SUPERSTIM_PYTHON=python3 npx tsx bench/search/iteration.ts [--rounds 5] [--method evolve] [--plain]
 *
 * An iteration of `evolve` is everything that it does for 256 scored children: proposals for new parents, drafts
 * written by the model, scores, frontier. One of `epo` does what EPO's own does: 8 x 32 tokens swapped. There are no
 * rivals, as EPO has none. `--plain`: without shortcuts.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type SearchMethodName, searchText } from '../../src/text/search/search.js';
import { noShortcuts } from '../../src/text/search/shortcuts.js';
import { type Contestant, childContestant, contest } from '../contest.js';
import { randomGpt2 } from './random-gpt2.js';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    method: { type: 'string', default: 'evolve' },
    plain: { type: 'boolean', default: false },
  },
});
const [LAYER, NEURON, CHILDREN] = [6, 1000, 256];

const { folder, model, calibrationText } = await randomGpt2();

/** Goes on with one search until so many more children were scored. */
function ours(): Contestant {
  const run = searchText({
    model,
    unit: `L${LAYER}.N${NEURON}`,
    method: flags.method as SearchMethodName,
    seed: 0,
    engine: 'onnx',
    measure: 'delta',
    at: 'max',
    reference: 'none',
    calibrationText,
    length: 12,
    budget: { evaluations: 16 * CHILDREN },
    baseline: false,
    finalists: 0,
    ...(flags.plain && { shortcuts: noShortcuts }),
  });
  let scored = 0;
  let goal = 0;
  return async () => {
    const before = scored;
    // The first round is all that comes before breeding: calibration, samples of the model.
    goal = scored + (goal === 0 ? 3 * CHILDREN : CHILDREN);
    const start = performance.now();
    while (scored < goal) {
      const { value, done } = await run.next();
      if (done) break;
      if (value.kind === 'progress' && value.budget === 'evaluations') scored = value.done;
    }
    const milliseconds = performance.now() - start;
    // A turn of EPO's is an iteration; generations of others are smaller and hardly add up to one.
    return flags.method === 'epo' ? milliseconds : (milliseconds * CHILDREN) / (scored - before);
  };
}

const contestants = new Map<string, Contestant>([['onnx', ours()]]);
const python = process.env.SUPERSTIM_PYTHON;
const script = fileURLToPath(new URL('epo_iteration.py', import.meta.url));
const epo = python
  ? await childContestant(python, [script, folder, String(LAYER), String(NEURON)])
  : undefined;
if (epo) contestants.set('pytorch', epo.contestant);
else console.error('pytorch is left out: SUPERSTIM_PYTHON names no Python');
await contest(['iteration'], contestants, Number(flags.rounds));
epo?.stop();
process.exit();
