/**
 * @file How many cores a search uses, by processor time and seconds: what a second worker on the machine can bring at most.
 *
 * Usage: [SUPERSTIM_THREADS=1] npx tsx bench/sweep/threads.ts [EVALUATIONS]
 */
import { argv, cpuUsage, exit } from 'node:process';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { finishRun } from '../../src/runs/events.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { searchText } from '../../src/text/search/search.js';
import { booksSession } from '../../test/helpers/books-session.js';

const model = await loadTextModel(`${embeddedFolder}/books-lm`);
const evaluations = Number(argv[2] ?? 1000);
// The first one also loads and calibrates.
for (const unit of ['L1.H3', 'L1.H4', 'L1.H5', 'L1.H6', 'L1.H7', 'L1.H0', 'L1.H1', 'L1.H2']) {
  const [processor, clock] = [cpuUsage(), performance.now()];
  await finishRun(
    searchText({
      ...booksSession(model),
      unit,
      method: 'evolve',
      length: 12,
      budget: { evaluations },
      baseline: false,
      finalists: 0,
    }),
  );
  const seconds = (performance.now() - clock) / 1000;
  console.log(JSON.stringify({ unit, processor: cpuUsage(processor).user / 1e6, seconds }));
}
exit(0);
