/**
 * @file Writes bench/README.md from the result files in `bench/*\/results`.
 *
 *   npx tsx bench/report.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benchPage } from './report/page.js';

const root = fileURLToPath(new URL('.', import.meta.url));
writeFileSync(`${root}README.md`, benchPage(root));
