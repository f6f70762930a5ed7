/** @file The event log read piece by piece, in bounded memory, however long it is. */
import { closeSync, existsSync, fstatSync, readSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { openRegular } from '../core/regular-file.js';
import { decodeEvent } from './event-codec.js';
import type { FailedEvent, FinishedEvent, ReadEvent } from './events.js';
import { checkRunFolder, runFile } from './run-file.js';

/** How a run ended; `open` = no last event: it is still going, or was killed. */
export type RunState = 'open' | FinishedEvent['reason'] | FailedEvent['kind'];

/** Bytes read at a time. */
const PIECE = 4 * 1024 ** 2;
/** Bytes of a line: the longest holds a whole frontier. */
const LONGEST_LINE = 64 * 1024 ** 2;
/** Bytes of a log: several million events. */
const LONGEST_LOG = 2 * 1024 ** 3;
/** Kinds that are not known and are named. */
const MOST_KINDS = 5;

const NEWLINE = 0x0a;

/**
 * A reader that goes on where it stopped: `poll()` gives the events added since the last call. A line is an event once
 * its newline is there, so one that is being written, or that a kill cut off, waits.
 */
export class RunTail {
  state: RunState = 'open';
  lastWrite: number | null = null;
  private offset = 0;
  /** The beginning of a line whose newline is not there yet, as it was read. */
  private torn: Buffer[] = [];
  private damaged = 0;
  private readonly unknownKinds = new Set<string>();

  /** @throws UserError when `path` is no run folder */
  constructor(private readonly path: string) {
    checkRunFolder(path);
  }

  /**
   * The events up to where the log ends now; take all of them.
   *
   * @throws UserError when the log is there but cannot be read, or is longer than any run writes
   */
  *poll(): Generator<ReadEvent, void, void> {
    const path = runFile(this.path, 'events.jsonl');
    if (!existsSync(path)) return;
    const { file } = openRegular(path, LONGEST_LOG);
    try {
      const { size, mtimeMs } = fstatSync(file);
      this.lastWrite = mtimeMs;
      if (size < this.offset) this.cutBack(size);
      while (this.offset < size) {
        const lines = this.readLines(file, Math.min(PIECE, size - this.offset));
        if (lines === null) return;
        yield* this.decode(lines);
      }
    } catch (error) {
      throw fileError(error, `read ${path}`);
    } finally {
      closeSync(file);
    }
  }

  /** One sentence for each thing that was not as it should be, so far. */
  problems(): string[] {
    const kinds = [...this.unknownKinds].slice(0, MOST_KINDS).map((kind) => `"${kind}"`);
    if (this.unknownKinds.size > MOST_KINDS) kinds.push('…');
    const problems = [
      this.lastWrite === null && 'events.jsonl is missing: nothing is known of what happened',
      this.lastWrite !== null && this.offset === 0 && 'events.jsonl is empty: the run had not begun',
      this.torn.length > 0 && 'the last line of events.jsonl was cut off and is left out',
      this.damaged > 0 && `events.jsonl has ${this.damaged} damaged line(s), left out`,
      kinds.length > 0 &&
        `events of unknown kind (${kinds.join(', ')}) are not shown; a newer superstim wrote them`,
    ];
    return problems.filter((sentence) => sentence !== false);
  }

  private *decode(lines: string): Generator<ReadEvent, void, void> {
    for (const line of lines.split('\n')) {
      if (line.trim() === '') continue;
      const event = decodeEvent(line);
      if (event === null) {
        this.damaged++;
        continue;
      }
      this.note(event);
      yield event;
    }
  }

  private note(event: ReadEvent): void {
    if (event.kind === 'unknown') {
      if (this.unknownKinds.size <= MOST_KINDS) this.unknownKinds.add(String(event.event.kind).slice(0, 40));
    } else if (event.kind === 'finished') this.state = event.reason;
    else if (event.kind === 'failed') this.state = 'failed';
    // A run that was continued goes on after its last event.
    else this.state = 'open';
  }

  /** The whole lines up to `length` bytes further on; null when the file ends before. */
  private readLines(file: number, length: number): string | null {
    const bytes = Buffer.allocUnsafeSlow(length);
    const count = readSync(file, bytes, 0, length, this.offset);
    if (count === 0) return null;
    this.offset += count;
    const end = bytes.subarray(0, count).lastIndexOf(NEWLINE) + 1;
    const rest = bytes.subarray(end, count);
    if (end === 0) {
      this.torn.push(rest);
      if (this.tornBytes() <= LONGEST_LINE) return '';
      throw new UserError(
        `${this.path}/events.jsonl has a line of more than ${LONGEST_LINE / 1024 ** 2} MB, which no run writes: it is not read`,
      );
    }
    const lines = Buffer.concat([...this.torn, bytes.subarray(0, end)]).toString('utf8');
    this.torn = rest.length > 0 ? [Buffer.from(rest)] : [];
    return lines;
  }

  private tornBytes(): number {
    return this.torn.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** The log got shorter: a continued run removed its torn last line. */
  private cutBack(size: number): void {
    const left = Math.max(0, this.tornBytes() - (this.offset - size));
    this.torn = left > 0 ? [Buffer.concat(this.torn).subarray(0, left)] : [];
    this.offset = size;
  }
}
