/** @file The package as others use it: packed, beside its dependencies or installed, imported by its name. */
import { execFileSync, spawnSync } from 'node:child_process';
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
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { end, start } from './helpers/command.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

const entries = ['index', 'engine', 'text', 'vision', 'runs', 'report'] as const;

/** Whether the registry that npm is configured for has the largest dependency, asked once and not in the cache. */
const registryAnswers = () => {
  const dependency = `onnxruntime-node@${manifest.dependencies['onnxruntime-node']}`;
  const flags = ['--prefer-online', '--fetch-retries=0', '--fetch-timeout=5000'];
  const asked = spawnSync('npm', ['view', dependency, 'version', ...flags], { timeout: 20_000 });
  return asked.status === 0;
};

describe('the package', () => {
  const project = mkdtempSync(join(tmpdir(), 'superstim-package-'));
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'superstimulus');
  const tarball = join(project, `superstimulus-${manifest.version}.tgz`);
  afterAll(() => rmSync(project, { recursive: true }));

  beforeAll(() => {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project], {
      cwd: root,
    });
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
    // The dependencies that it declares, and no others.
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  });

  const run = (code: string) => {
    const file = join(project, 'main.js');
    writeFileSync(file, code);
    return end(start([file], { SUPERSTIM_CACHE: join(project, 'cache') }));
  };

  it('has the program, the models and what a package must have', () => {
    const files = readdirSync(installed, { recursive: true }) as string[];
    for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/cli/bin.js', 'dist/index.d.ts'])
      expect(files).toContain(file);
    expect(files).toContain('models/books-lm/model.safetensors');
    expect(files).toContain('models/books-lm/dictionary/sae_weights.safetensors');
    expect(files.filter((file) => /\.test\.|\.tsbuildinfo$|^src|^test|^tools|^bench/.test(file))).toEqual([]);
  });

  it('compiles and runs a function', async () => {
    const { code, stdout, stderr } = await run(`
      import { compile, tf } from 'superstimulus/engine';
      const square = await compile(({ x }) => ({ y: tf.square(x) }), { inputs: { x: { shape: [3] } } });
      console.log(JSON.stringify(Array.from((await square.run({ x: [1, 2, 3] })).y)));`);
    expect([code, stdout, stderr]).toEqual([0, '[1,4,9]\n', '']);
  });

  it('scores a text with the embedded model', async () => {
    const { code, stdout, stderr } = await run(`
      import { openModel } from 'superstimulus';
      const score = await (await openModel()).score('It was late.', 'L1.H3');
      console.log(JSON.stringify([score.units[0].unit, score.units[0].raw.length - score.token_ids.length]));`);
    expect([code, stdout, stderr]).toEqual([0, '["L1.H3",0]\n', '']);
  });

  it('has the program', async () => {
    const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      bin: { superstim: string };
    };
    const { code, stdout } = await end(start([join(installed, bin.superstim), '--version']));
    expect([code, stdout]).toEqual([0, `${manifest.version}\n`]);
  });

  it('installs from the registry as README says (needs the registry)', { timeout: 300_000 }, async ({
    skip,
  }) => {
    if (!registryAnswers()) skip('the npm registry does not answer');
    const consumer = mkdtempSync(join(tmpdir(), 'superstim-consumer-'));
    onTestFinished(() => rmSync(consumer, { recursive: true }));
    writeFileSync(join(consumer, 'package.json'), '{}');
    const command = readme.match(/^.*npm install superstimulus(?=\s)/m)![0].replace('superstimulus', tarball);
    // Scripts run as they do for most users; versions that the cache has need not be asked for again.
    const install = `${command} --ignore-scripts=false --prefer-offline --loglevel=error`;
    const { status, stderr } = spawnSync(install, {
      cwd: consumer,
      shell: true,
      timeout: 240_000,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);

    const folders = readdirSync(join(consumer, 'node_modules'), { recursive: true }) as string[];
    const copies = (name: string) => folders.filter((folder) => folder.endsWith(`${name}/package.json`));
    expect(copies('onnxruntime-node')).toEqual(['onnxruntime-node/package.json']);
    expect(copies('@tensorflow/tfjs-node')).toEqual([]);
    const program = join(consumer, 'node_modules/.bin/superstim');
    const scored = await end(start([program, 'score', '--unit', 'L1.H3', '--text', 'It was late.']));
    expect([scored.code, scored.stderr]).toEqual([0, '']);
    expect(scored.stdout).toContain('L1.H3');
  });

  it('has types', () => {
    const file = join(project, 'typed.ts');
    writeFileSync(
      file,
      `import { openModel, type SearchOutcome } from 'superstimulus';
       import { compile, type Compiled, tf } from 'superstimulus/engine';
       export const double: Promise<Compiled> = compile(({ x }) => ({ y: tf.mul(x!, 2) }), { inputs: { x: { shape: [2] } } });
       export const hypervolume = (result: SearchOutcome): number => result.hypervolume;
       const lm = await openModel();
       // @ts-expect-error a search without a unit
       lm.search();
       // @ts-expect-error a field that searches do not have
       lm.search('L2.H5', { lenght: 3 });`,
    );
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    });
    const complaints = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(complaints).toEqual([]);
  });
});

describe('what the package exports', () => {
  it('has no function or class without a docstring', () => {
    const files = entries.map((entry) => join(root, `src/${entry}.ts`));
    const program = ts.createProgram(files, {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
    });
    const checker = program.getTypeChecker();
    const exported = files.flatMap((file) =>
      checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!),
    );
    const symbols = exported.map((symbol) =>
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    );
    const callable = symbols.filter(({ flags }) => flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class));
    expect(callable.length).toBeGreaterThan(30);
    const bare = callable.filter((symbol) => symbol.getDocumentationComment(checker).length === 0);
    expect(bare.map(({ name }) => name)).toEqual([]);
  });
});
