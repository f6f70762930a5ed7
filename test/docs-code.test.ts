/** @file Every `ts` block of the documentation type-checks under the project's own settings and runs. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { end, start } from './helpers/command.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md') && !path.startsWith('reference'))
  .map((path) => `docs/${path}`);

interface Block {
  /** `docs-engine-12`: page and line. */
  readonly name: string;
  readonly info: string;
  readonly code: string;
}

const blocks: Block[] = ['README.md', ...pages].flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\b *(.*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: info, 2: code }) => {
    const line = text.slice(0, index).split('\n').length;
    return { name: `${page.replace(/\.md$/, '').replaceAll('/', '-')}-${line}`, info: info!, code: code! };
  });
});

describe('code in the documentation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'superstim-docs-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/superstimulus'));
    symlinkSync(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const { name, code } of blocks) writeFileSync(join(folder, `${name}.ts`), code);
    mkdirSync(join(folder, 'photos'));
    for (const background of ['red', 'green'])
      await sharp({ create: { width: 40, height: 40, channels: 3, background } }).toFile(
        join(folder, `photos/${background}.png`),
      );
  });

  it('is there, and says why where it is not run', () => {
    expect(blocks.length).toBeGreaterThan(8);
    const others = blocks.filter(({ info }) => info !== '' && !/^no-run \(.+\)$/.test(info));
    expect(others.map(({ name, info }) => `${name}: ${info}`)).toEqual([]);
  });

  it('type-checks and runs', { timeout: 180_000 }, async () => {
    const read = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, root);
    const files = blocks.map(({ name }) => join(folder, `${name}.ts`));
    const program = ts.createProgram(files, { ...options, noEmit: false, rootDir: folder, sourceMap: false });
    const complaints = ts
      .getPreEmitDiagnostics(program)
      .map(
        ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      );
    expect(complaints).toEqual([]);
    program.emit();

    // One process: TensorFlow.js is loaded once.
    const run = blocks.filter(({ info }) => info === '').map(({ name }) => name);
    const main = `for (const name of ${JSON.stringify(run)}) {
      await import('./' + name + '.js').catch((error) => { throw new Error(name, { cause: error }); });
    }`;
    writeFileSync(join(folder, 'main.js'), main);
    const { code, stderr } = await end(start([join(folder, 'main.js')], {}, folder));
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('docs/library.md', () => {
  it('shows how to score, search and render in at most ten lines each', () => {
    const scripts = blocks.filter(({ name }) => name.startsWith('docs-library')).slice(0, 3);
    expect(scripts.map(({ code }) => /lm\.score|lm\.search|net\.render/.exec(code)?.[0])).toEqual([
      'lm.score',
      'lm.search',
      'net.render',
    ]);
    for (const { code } of scripts) expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
  });
});
