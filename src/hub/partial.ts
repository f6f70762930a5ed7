/**
 * @file The unfinished download of a blob. One process at a time writes to it, under a name of its own that says which;
 * the others wait. Who stops leaves it as `<blob>.incomplete` (as Python's `huggingface_hub` does), and what a process
 * that died left is taken over too.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError } from '../core/file-error.js';
import { regularSize } from '../core/regular-file.js';

/** Milliseconds between two looks at what another process has; drawn anew each time, so that two do not stay in step. */
const lookEvery = () => 50 + Math.random() * 150;
/** A process that wrote nothing for so many milliseconds does not write any more. */
const abandonedAfter = 60_000;

/**
 * Takes the unfinished download for this process, waiting while another one writes to it.
 *
 * @param blob - the path it will have
 * @param size - bytes of the whole blob
 * @yields how many bytes the other process has
 * @returns the path to write to, for `releasePartial`; null when another process has finished the blob
 */
export async function* claimPartial(
  blob: string,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, string | null, void> {
  for (;;) {
    if (regularSize(blob) === size) return null;
    const [rival] = partialsOf(blob).filter(isHeld);
    if (rival === undefined) {
      const mine = take(blob);
      // The later of two that took one at the same time sees the earlier one here.
      if (!partialsOf(blob).some((path) => path !== mine && isHeld(path))) return mine;
      releasePartial(blob, mine);
    } else {
      yield regularSize(rival) ?? 0;
    }
    await pause(lookEvery(), signal);
  }
}

/** Leaves what there is to the next one; nothing when it became the blob. */
export function releasePartial(blob: string, mine: string): void {
  const bytes = regularSize(mine);
  if (bytes === null) return;
  const left = `${blob}.incomplete`;
  if (bytes > (regularSize(left) ?? 0)) renameSync(mine, left);
  else rmSync(mine, { force: true });
}

/** A pause that the signal ends with its reason. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal ? { signal } : {}).catch((error) => {
    throw signal?.reason ?? error;
  });
}

/** The largest that nobody holds becomes ours; an empty file where there is none. */
function take(blob: string): string {
  const mine = `${blob}.${process.pid}-${randomBytes(4).toString('hex')}.incomplete`;
  const free = partialsOf(blob).filter((path) => !isHeld(path));
  for (const path of free.sort((a, b) => (regularSize(b) ?? 0) - (regularSize(a) ?? 0))) {
    try {
      renameSync(path, mine);
      return mine;
    } catch {
      // Another process was quicker.
    }
  }
  try {
    writeFileSync(mine, '');
  } catch (error) {
    throw fileError(error, `write ${mine}`);
  }
  return mine;
}

function partialsOf(blob: string): string[] {
  const folder = dirname(blob);
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(blob)}.`) && name.endsWith('.incomplete'))
    .map((name) => join(folder, name));
}

/** Whether a process that lives, and has written lately, has it. */
function isHeld(partial: string): boolean {
  const pid = /\.(\d+)-[0-9a-f]+\.incomplete$/.exec(partial)?.[1];
  const stats = statSync(partial, { throwIfNoEntry: false });
  if (pid === undefined || stats === undefined || Date.now() - stats.mtimeMs > abandonedAfter) return false;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
