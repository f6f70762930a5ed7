/** @file Workers of a queue that are killed without warning, and replaced. */
import { bin, type Child, end, start } from './command.js';

export class Workers {
  private readonly alive = new Map<Child, string>();
  private readonly ended: Promise<unknown>[] = [];

  constructor(
    private readonly flags: readonly string[],
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param out - the worker's folder */
  add(out: string): void {
    const child = start([bin, 'worker', ...this.flags, '--out', out, '--quiet'], this.env);
    this.alive.set(child, out);
    this.ended.push(end(child));
  }

  /** Kills a worker. @returns its folder */
  kill(which: number): string {
    const [child, out] = [...this.alive][which % this.alive.size]!;
    this.alive.delete(child);
    child.kill('SIGKILL');
    return out;
  }

  /** Stops a worker, as a machine that hangs does, or lets it continue. */
  hang(which: number, hangs: boolean): void {
    [...this.alive.keys()][which]!.kill(hangs ? 'SIGSTOP' : 'SIGCONT');
  }

  async stop(): Promise<void> {
    for (const child of this.alive.keys()) child.kill('SIGKILL');
    await Promise.all(this.ended);
  }
}
