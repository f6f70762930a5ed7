import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageVersion } from '../../src/runs/versions.js';
import { bin, builtFolder, type Child, end, start } from '../helpers/command.js';

const cache = mkdtempSync(join(tmpdir(), 'superstim-cli-'));
afterAll(() => rmSync(cache, { recursive: true }));

const superstim = (...flags: string[]) => end(start([bin, ...flags], { HF_HUB_CACHE: cache }));

describe('the built program', () => {
  it('prints help on stdout', async () => {
    const { code, stdout, stderr } = await superstim('--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: superstim [options] [command]');
    expect(stdout).toMatch(/^ {2}models/m);
    expect((await superstim('help', 'models')).stdout).toContain('Usage: superstim models');
  });

  it('answers --help without loading what computes', async () => {
    const dataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
    const hooks = dataUrl(`import { writeSync } from 'node:fs';
      export async function resolve(specifier, context, next) {
        writeSync(2, specifier + '\\n');
        return next(specifier, context);
      }`);
    const loader = dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(hooks)});`);
    const { code, stderr } = await end(start(['--import', loader, bin, '--help']));
    expect(code).toBe(0);
    const packages = stderr
      .split('\n')
      .filter((specifier) => /^[@a-z]/.test(specifier) && !/^(node|file|data):/.test(specifier));
    expect([...new Set(packages)]).toEqual(['commander']);
  });

  it('prints its version', async () => {
    expect(await superstim('--version')).toMatchObject({
      code: 0,
      stdout: `${packageVersion()}\n`,
      stderr: '',
    });
  });

  it.each([
    [[], 'Usage: superstim'],
    [['modles'], "error: unknown command 'modles' (Did you mean models?)"],
    [['models', '--jsno'], "error: unknown option '--jsno' (Did you mean --json?)"],
    [['models', 'surplus'], 'error: too many arguments'],
  ])('exits 2 for %j, with a word on stderr and nothing on stdout', async (flags, words) => {
    const { code, stdout, stderr } = await superstim(...flags);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });

  it('lists models as text and as one JSON document', async () => {
    const text = await superstim('models');
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toContain(
      `Hugging Face cache (${cache})\n  (none; --model org/name downloads one)\n`,
    );
    const { code, stdout } = await superstim('models', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ cached: [], cache });
  });

  it('lists devices by name, with their memory', async () => {
    const { code, stdout } = await superstim('models', '--devices', '--json');
    expect(code).toBe(0);
    const [processor] = JSON.parse(stdout);
    expect(processor).toMatchObject({ device: 'cpu', trouble: null, half_precision: false });
    expect(processor.hardware[0].name).not.toBe('');
    expect(processor.hardware[0].memory).toBeGreaterThan(2 ** 28);
  });

  const shell = (command: string) =>
    end(
      spawn('sh', ['-c', command, 'sh', process.execPath, bin], {
        env: { PATH: process.env.PATH },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );

  it.each(['models --json', '--help'])('fails when %s cannot be written', async (flags) => {
    expect(await shell(`"$@" ${flags} > /dev/full`)).toMatchObject({
      code: 1,
      stderr: 'error: could not write the result: the disk is full; free some space\n',
    });
  });

  it('fails when a part of the result cannot be written', async () => {
    // As a disk with 512 bytes left.
    expect(await shell(`ulimit -f 1; "$@" --help > ${join(cache, 'cut')}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: could not write the result: .*\n$/),
    });
  });

  it('says nothing when its reader goes away', async () => {
    const child = start([bin, 'models', '--json']);
    child.stdout.destroy();
    expect(await end(child)).toMatchObject({ code: 0, signal: null, stderr: '' });
  });
});

describe('Ctrl-C', () => {
  /** A search of 10 ms steps that ends at the signal, or does not care for it. */
  const script = (heedful: boolean) => `
    const { withInterrupt } = await import(${JSON.stringify(new URL('interrupt.js', builtFolder).href)});
    const { Output } = await import(${JSON.stringify(new URL('output.js', builtFolder).href)});
    const output = new Output({ json: true });
    const found = await withInterrupt(output, async (signal) => {
      let steps = 0;
      console.error('ready');
      while (!(${heedful} && signal.aborted)) {
        steps++;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return steps;
    });
    output.result({ found }, () => '');`;

  function ready(child: Child): Promise<void> {
    return new Promise((resolve) => child.stderr.once('data', () => resolve()));
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('stops the work at %s, prints what was found and exits %d', async (name, exitCode) => {
    const child = start(['--input-type=module', '-e', script(true)]);
    const ended = end(child);
    await ready(child);
    child.kill(name);
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(exitCode);
    expect(JSON.parse(stdout).found).toBeGreaterThan(0);
    expect(stderr).toContain('Ctrl-C again to quit at once');
  });

  it('exits at once the second time', async () => {
    const child = start(['--input-type=module', '-e', script(false)]);
    const ended = end(child);
    await ready(child);
    child.kill('SIGINT');
    await ready(child);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, signal: null, stdout: '' });
  });
});
