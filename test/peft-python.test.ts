/** An adapter of the embedded model in Python's PEFT, where SUPERSTIM_PYTHON names a Python that has it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compile } from '../src/engine/compile.js';
import { resolveLocal } from '../src/hub/resolve-model.js';
import { firstLora, loraLayout, mergedWeights } from '../src/rl/lora.js';
import { writePeft } from '../src/rl/peft.js';
import { openTextWeights } from '../src/text/lm/model.js';
import { forward } from '../src/text/lm/transformer.js';
import { trainedLora } from './helpers/random-model.js';

const script = `
import json, sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base, adapter, ids = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
with torch.no_grad():
    print(json.dumps(model(torch.tensor([ids])).logits[0].flatten().tolist()))
`;

const python = process.env.SUPERSTIM_PYTHON;
it.skipIf(!python)(
  "an adapter gives the same logits in Python's PEFT (needs SUPERSTIM_PYTHON, a Python that has it)",
  async () => {
    const { folder } = resolveLocal('books-lm')!;
    const { spec, weights } = openTextWeights(folder);
    const layout = loraLayout(spec, { rank: 4, alpha: 8, targets: ['all-linear'] });
    const lora = trainedLora(firstLora(layout, 1));
    const adapter = mkdtempSync(join(tmpdir(), 'superstim-peft-python-'));
    const ids = [0, 35, 300, 1200, 77, 9];
    try {
      writePeft(adapter, lora, folder);
      const program = await compile(
        (inputs, weights) => ({ logits: forward(spec, weights, { ids: inputs.ids! }).at('logits') }),
        {
          inputs: { ids: { shape: [1, ids.length], dtype: 'int32' } },
          weights: mergedWeights(weights, lora),
        },
      );
      const { logits: ours } = await program.run({ ids });
      program.dispose();
      const output = execFileSync(python!, ['-c', script, folder, adapter, JSON.stringify(ids)], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const theirs = JSON.parse(output) as number[];
      const largest = Math.max(...theirs.map(Math.abs));
      expect(theirs).toHaveLength(ours!.length);
      for (const [i, value] of theirs.entries())
        expect(Math.abs(value - ours![i]!)).toBeLessThan(1e-4 * largest);
    } finally {
      rmSync(adapter, { recursive: true });
    }
  },
  120_000,
);
