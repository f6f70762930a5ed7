/** @file The end of the program, which must not come in the middle of a computation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../core/errors.js';
import { endWorkers } from '../engine/backends/worker-client.js';

/** The engine's calls are shorter as a rule; whoever wants to leave waits no longer than so many milliseconds. */
const PATIENCE = 3000;
/** After a signal. */
const HURRY = 100;

/** What the program ends with after each signal. */
export const signalCodes = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.hungUp,
} as const;
export type StopSignal = keyof typeof signalCodes;
export const stopSignals = Object.keys(signalCodes) as StopSignal[];

/**
 * Ends the program when the engine has finished what it computes. After a signal nobody waits for that: the program then
 * ends by the signal's default action, for which a shell reports the same exit code.
 */
export async function leave(exitCode = process.exitCode): Promise<never> {
  const signal = stopSignals.find((name) => signalCodes[name] === exitCode);
  const hasEnded = endWorkers().then(() => true);
  if (!(await Promise.race([hasEnded, sleep(signal ? HURRY : PATIENCE, false)])) && signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  process.exit(exitCode);
}
