/**
 * Time and memory of drawing samples of a large model, 8 texts of 16 tokens at a time, as calibration does. A search has 32.
 *
 *   npx tsx tools/make-random-model.ts gemma-2-400m DIR
 *   npm run build && npx tsx bench/engine/drawing.ts DIR [TURNS] [TEXTS] [TOKENS]
 */
import { readFileSync } from 'node:fs';
import { Random } from '../../src/core/random.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { openSubject } from '../../src/text/lm/subject.js';
import { Sampler } from '../../src/text/sampling/sampler.js';

const [folder, turns = '4', texts = '8', tokens = '16'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: drawing.ts DIR [TURNS] [TEXTS] [TOKENS]');

const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
/** MB of this process: now, or at its peak (Linux). */
const resident = (name: 'VmRSS' | 'VmHWM') => {
  const kibibytes = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1];
  return Math.round((Number(kibibytes) * 1024) / 1e6);
};
async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const [start, used] = [performance.now(), processorSeconds()];
  const result = await work();
  const times = [(performance.now() - start) / 1000, processorSeconds() - used].map((x) => x.toFixed(2));
  console.log(
    `${name}: ${times[0]} s, processor ${times[1]} s; ${resident('VmRSS')} MB, peak ${resident('VmHWM')} MB`,
  );
  return result;
}

const subject = openSubject(await loadTextModel(folder), 'onnx');
const [batch, positions] = [Number(texts), Number(tokens) + 1];
const sampler = await timed('opening', () => Sampler.create({ subject, positions, batch }));
const random = Random.of(0, 'drawing');
for (let turn = 0; turn < Number(turns); turn++) {
  const ids = await timed(`turn ${turn}`, () => sampler.sample(batch, random));
  console.log(`  sum of its ids ${ids.reduce((sum, id) => sum + id, 0)}`);
}
process.exit();
