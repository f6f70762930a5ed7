import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lockRun } from './run-lock.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-lock-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const newFolder = () => mkdtempSync(join(scratch, 'run-'));

describe('lockRun', () => {
  it('locks once, and leaves nothing behind', () => {
    const run = newFolder();
    const lock = lockRun(run);
    expect(() => lockRun(run)).toThrow(`is being written by process ${process.pid}: wait until it ends`);
    lock.release();
    lock.release();
    expect(readdirSync(run)).toEqual([]);
    lockRun(run).release();
  });

  it('passes over what a dead process left, also when its id is in use again', async () => {
    const run = newFolder();
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    writeFileSync(join(run, `.lock-${gone.pid}-1`), '');
    if (process.platform === 'linux') writeFileSync(join(run, '.lock-1-4000000000000'), '');
    const lock = lockRun(run);
    expect(readdirSync(run)).toHaveLength(1);
    lock.release();
  });

  const built = new URL('../../dist/runs/run-lock.js', import.meta.url);
  it.skipIf(!existsSync(built))(
    'is held by one process of several, until that one is killed (needs npm run build)',
    async () => {
      const run = newFolder();
      const script = `
      const { lockRun } = await import(${JSON.stringify(built.href)});
      try { lockRun(${JSON.stringify(run)}); console.log('held'); setInterval(() => {}, 1000); }
      catch (error) { console.log(error.message); }`;
      const start = () => spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
      const children = [1, 2, 3].map(start);
      const said = await Promise.all(
        children.map(async ({ stdout }) => String(await once(stdout, 'data')).trim()),
      );
      expect(said.filter((line) => line === 'held')).toHaveLength(1);
      const holder = children[said.indexOf('held')]!;
      for (const line of said) if (line !== 'held') expect(line).toContain(`process ${holder.pid}`);
      expect(() => lockRun(run)).toThrow(`process ${holder.pid}`);
      holder.kill('SIGKILL');
      await once(holder, 'exit');
      lockRun(run).release();
    },
  );
});
