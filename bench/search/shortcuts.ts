/**
 * Each shortcut alone: the same search with it and without, seconds, token-layers and whether the same
 * was found.
 *
 *   npx tsx bench/search/shortcuts.ts [--model models/books-lm] [--units L0.N233,L2.H4] [--evaluations 2000] [--seed 0]
 *     [--method evolve] [--reference layer]
 *
 * Without `--model`, on a model of GPT-2 small's size with random weights. On a model narrower than 256,
 * products are too small for 8 bits, so rough ranking is as exact as float32. Rough proposals lead to other texts.
 */
import { parseArgs } from 'node:util';
import { hashModel } from '../../src/hub/model-hash.js';
import { finishRun } from '../../src/runs/events.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { type SearchMethodName, searchText } from '../../src/text/search/search.js';
import { allShortcuts, noShortcuts, type Shortcuts } from '../../src/text/search/shortcuts.js';
import { randomGpt2 } from './random-gpt2.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' },
    method: { type: 'string', default: 'evolve' },
    reference: { type: 'string', default: 'layer' },
    units: { type: 'string', default: 'L0.N233,L2.H4' },
    evaluations: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '0' },
  },
});

const settings: Record<string, Shortcuts> = {
  none: noShortcuts,
  'shared prefixes': { ...noShortcuts, sharedPrefixes: true },
  'unit first': { ...noShortcuts, sharedPrefixes: true, unitFirst: true },
  'rough ranking': { ...noShortcuts, roughRanking: true },
  'rough ranking, shared prefixes': { ...noShortcuts, roughRanking: true, sharedPrefixes: true },
  'large generations': { ...noShortcuts, largeGenerations: true },
  'rough proposals': { ...noShortcuts, roughProposals: true },
  'all without ranking': { ...allShortcuts, roughRanking: false, sideBySide: false, largeGenerations: false },
  'all without halves': { ...allShortcuts, sideBySide: false },
  all: allShortcuts,
};

const random = flags.model === undefined ? await randomGpt2() : null;
const folder = random?.folder ?? flags.model!;
const model = random?.model ?? (await loadTextModel(folder));
const modelHash = await hashModel(folder);

for (const unit of flags.units.split(',')) {
  const search = (shortcuts: Shortcuts, evaluations: number) =>
    finishRun(
      searchText({
        model,
        modelHash,
        unit,
        shortcuts,
        seed: Number(flags.seed),
        engine: 'onnx',
        method: flags.method as SearchMethodName,
        reference: flags.reference,
        measure: 'delta',
        at: 'max',
        length: 12,
        budget: { evaluations },
        baseline: false,
        finalists: 0,
        ...(random && { calibrationText: random.calibrationText }),
      }),
    );
  await search(noShortcuts, 300); // what all of them share is ready then
  const plain = await search(noShortcuts, Number(flags.evaluations));
  for (const [name, shortcuts] of Object.entries(settings)) {
    const { cost, hypervolume, frontier } =
      name === 'none' ? plain : await search(shortcuts, Number(flags.evaluations));
    const texts = new Set(plain.frontier.map(({ text }) => text));
    const same = frontier.filter(({ text }) => texts.has(text)).length;
    console.log(
      `${unit.padEnd(9)} ${name.padEnd(19)} ${cost.seconds.toFixed(2)} s  ${(cost.token_layers / 1e6).toFixed(2)} M token-layers  hypervolume ${hypervolume.toFixed(2)}  ${same} of ${plain.frontier.length} texts the same`,
    );
  }
}
process.exit();
