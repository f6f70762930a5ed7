/**
 * @file Speed of training: tokens a second of the embedded language model, forward, backward and update.
 *
 *   SUPERSTIM_PYTHON=python3 npx tsx bench/training/tokens-per-second.ts [--batch 16] [--steps 10]
 *
 * One JSON document a line on stdout; the median step counts. Where SUPERSTIM_PYTHON names a Python with torch and
 * transformers, `tokens_per_second.py` runs after it: the same in PyTorch.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../src/core/random.js';
import { Trainer } from '../../src/engine/training/trainer.js';
import { firstParameters, spec, updateRule } from '../../tools/language-model.js';
import { languageModelLoss } from '../../tools/loss.js';

const { values: options } = parseArgs({
  options: { batch: { type: 'string', default: '16' }, steps: { type: 'string', default: '10' } },
});
const batch = Number(options.batch);
const tokens = batch * spec.context;

const trainer = await Trainer.create({
  loss: (inputs, weights) => ({ loss: languageModelLoss(spec, inputs, weights) }),
  inputs: {
    ids: { shape: [batch, spec.context], dtype: 'int32' },
    targets: { shape: [tokens], dtype: 'int32' },
  },
  parameters: firstParameters(0),
  rule: updateRule,
  clipNorm: 1,
});
const random = new Random(0);
const seconds: number[] = [];
for (let step = 0; step < Number(options.steps) + 2; step++) {
  const ids = Int32Array.from({ length: tokens }, () => random.integer(spec.vocab));
  const targets = Int32Array.from({ length: tokens }, () => random.integer(spec.vocab));
  const start = performance.now();
  await trainer.step({ ids, targets }, 0.01);
  // The first two allocate memory.
  if (step >= 2) seconds.push((performance.now() - start) / 1000);
}
trainer.dispose();
seconds.sort((a, b) => a - b);
const median = seconds[Math.floor(seconds.length / 2)]!;
process.stdout.write(
  `${JSON.stringify({ engine: 'superstimulus', batch, seconds: median, tokensPerSecond: tokens / median })}\n`,
);
const python = process.env.SUPERSTIM_PYTHON;
if (python) {
  const script = fileURLToPath(new URL('tokens_per_second.py', import.meta.url));
  spawnSync(python, [script, '--batch', options.batch, '--steps', options.steps], { stdio: 'inherit' });
} else console.error('PyTorch is left out: SUPERSTIM_PYTHON names no Python');
process.exit(0);
