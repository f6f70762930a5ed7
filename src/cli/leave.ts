/** @file The end of the program, which must not come in the middle of a computation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { endWorker } from '../engine/backends/worker-client.js';

/** The engine's calls are shorter as a rule; whoever wants to leave waits no longer than so many milliseconds. */
const PATIENCE = 3000;

/** Ends the program when the engine has finished what it computes. */
export async function leave(exitCode = process.exitCode): Promise<never> {
  await Promise.race([endWorker(), sleep(PATIENCE)]);
  process.exit(exitCode);
}
