/**
 * @file Damages files and counts how a reader answers: `npx tsx tools/fuzz.ts READER COUNT [SEED]`.
 *
 * Ends with the figures as JSON; exit code 1 when an input crashed, hung or was refused without a sentence.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAttempts } from '../test/fuzz/run-readers.js';
import { textAttempts } from '../test/fuzz/text-readers.js';
import { visionAttempts } from '../test/fuzz/vision-readers.js';
import { type Attempt, fuzz } from '../test/helpers/fuzz.js';

const [reader = '', count = '1000', seed = '1'] = process.argv.slice(2);
const place = mkdtempSync(join(tmpdir(), 'superstim-fuzz-'));
try {
  const attempts: Readonly<Record<string, Attempt>> = {
    ...visionAttempts(place),
    ...textAttempts(place),
    ...(await runAttempts(place)),
  };
  if (!Object.hasOwn(attempts, reader))
    throw new Error(`READER is one of ${Object.keys(attempts).join(', ')}`);
  const report = await fuzz(attempts[reader]!, { count: Number(count), seed: Number(seed) });
  console.log(JSON.stringify({ reader, seed: Number(seed), ...report }, null, 2));
  if (report.faults.length > 0) process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true });
}
