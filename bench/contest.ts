/** Several programs doing the same work in turn in one run: what bench/engine and bench/image share. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

/** Something that runs a workload once and says how many milliseconds it took. */
export type Contestant = (workload: string) => Promise<number>;

/** A program that reads the name of one workload per line and answers `{"milliseconds": …}`, after a line about itself. */
export async function childContestant(
  program: string,
  args: readonly string[],
): Promise<{ contestant: Contestant; stop(): void; about: unknown }> {
  const child = spawn(program, [...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as ChildProcessByStdio<Writable, Readable, null>;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value as string) as Record<string, number>;
  const about = await next();
  return {
    about,
    contestant: async (name) => {
      child.stdin.write(`${name}\n`);
      return (await next()).milliseconds!;
    },
    stop: () => child.stdin.end(),
  };
}

export type Results = Record<string, Record<string, { milliseconds: number; all: number[] }>>;

export const median = (list: readonly number[]) =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

/** Milliseconds after which no thread of the one before spins. */
const REST = 500;

/** One round to compile and warm up, then everyone in turn; prints all times, medians and the ratios to `onnx`. */
export async function contest(
  workloads: readonly string[],
  contestants: ReadonlyMap<string, Contestant>,
  rounds: number,
): Promise<Results> {
  const results: Results = {};
  for (const name of workloads) {
    const times = new Map([...contestants.keys()].map((who) => [who, [] as number[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const [who, run] of contestants) {
        await setTimeout(REST);
        const milliseconds = await run(name);
        console.log(`${name.padEnd(20)} round ${round} ${who} ${milliseconds.toFixed(0)} ms`);
        if (round > 0) times.get(who)!.push(milliseconds);
      }
    }
    const row = Object.fromEntries([...times].map(([who, all]) => [who, { milliseconds: median(all), all }]));
    results[name] = row;
    const ratio = (who: string) =>
      row[who] ? `  onnx / ${who} ${(row.onnx!.milliseconds / row[who]!.milliseconds).toFixed(2)}` : '';
    const cells = Object.entries(row).map(
      ([who, { milliseconds }]) => `${who} ${milliseconds.toFixed(0)} ms`,
    );
    console.log(
      `${name.padEnd(20)} ${cells.join('  ')}${['pytorch', 'tensorflow', 'before'].map(ratio).join('')}`,
    );
  }
  return results;
}
