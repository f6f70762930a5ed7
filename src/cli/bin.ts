#!/usr/bin/env node
/** @file The `superstim` program: parses, runs, and turns whatever happens into a line and an exit code. */
import { exitCodes } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { explainFailure } from './failure.js';
import { leave } from './leave.js';
import { Output } from './output.js';
import { createProgram } from './program.js';

const flags = process.argv.slice(2);

// Whoever read our result has seen enough (`| head`), or the terminal was closed: no reason for a complaint.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') fail(fileError(error, 'write the result'));
  void leave(process.exitCode ?? exitCodes.ok);
});
process.stderr.on('error', () => undefined);

/** Prints the failure and keeps its exit code. */
function fail(error: unknown): void {
  const { exitCode, message } = explainFailure(error, flags.includes('--debug'));
  process.exitCode = exitCode;
  if (message !== null) new Output({ color: !flags.includes('--no-color') }).error(message);
}

// A promise nobody waits for must not end the program with a bare stack.
process.on('uncaughtException', (error) => {
  fail(error);
  void leave();
});

try {
  await createProgram().parseAsync();
} catch (error) {
  fail(error);
}

// What is written to a pipe may still be on its way; a worker that has nothing to do must not keep us.
await Promise.all(
  [process.stdout, process.stderr]
    .filter(({ writableLength }) => writableLength > 0)
    .map((stream) => new Promise<void>((done) => stream.write('', () => done()))),
);
await leave();
