/**
 * @file One process writes a run folder. A lock is an empty file whose name says who holds it, `.lock-PID-START`: it is
 * whole at once, and one that a kill left behind is known from a live one, also where its process id is in use again.
 */
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';

/** Another process, or this one, writes the run. */
export class RunBusy extends UserError {
  override name = 'RunBusy';
}

export interface RunLock {
  /** Safe to call twice. */
  release(): void;
}

const lockName = /^\.lock-(\d+)-(\d+)$/;
const TRIES = 4;
const LONGEST_PAUSE = 40;

/**
 * Locks a run folder against other processes of this machine, and against this one.
 *
 * @throws RunBusy that names the process that writes it
 */
export function lockRun(run: string): RunLock {
  const own = join(run, `.lock-${process.pid}-${stateOf(process.pid)?.start ?? 0}`);
  for (let left = TRIES; ; left--) {
    const holder = claim(run, own);
    if (holder === null) return { release: () => rmSync(own, { force: true }) };
    if (left === 1)
      throw new RunBusy(
        `the run ${run} is being written by process ${holder}: wait until it ends, or stop it, and try again`,
      );
    // Two that claim in the same moment both step back; after unequal pauses one comes first.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * LONGEST_PAUSE);
  }
}

/**
 * First the own file, then a look at the others: of two that do so at least one sees the other.
 *
 * @returns null when the lock is ours, else the process that holds it
 */
function claim(run: string, own: string): number | null {
  try {
    closeSync(openSync(own, 'wx'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return process.pid;
    throw fileError(error, `write to the run folder ${run}`);
  }
  for (const name of readdirSync(run)) {
    const [, pid, start] = lockName.exec(name) ?? [];
    if (pid === undefined || join(run, name) === own) continue;
    if (!isAlive(Number(pid), Number(start))) {
      rmSync(join(run, name), { force: true });
      continue;
    }
    rmSync(own, { force: true });
    return Number(pid);
  }
  return null;
}

function isAlive(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process is there too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const state = stateOf(pid);
  return state === null || (!state.ended && state.start === start);
}

/** When a process started, in ticks since the machine did, and whether it is dead but not yet reaped; null off Linux. */
function stateOf(pid: number): { start: number; ended: boolean } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold blanks and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { start: Number(fields[19]), ended: /[ZX]/.test(fields[0]!) };
  } catch {
    return null;
  }
}
