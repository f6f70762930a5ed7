/**
 * @file The terminal: takes whole frames and writes the lines that changed, at most so often, with pictures on top.
 *
 * Screens hand their lines over themselves (`show`). Ink would lay them out once more, character by character: 25 ms
 * for a frame of 120 x 36 that is drawn in 3. Only for screen readers is it Ink's output too.
 */
import { EventEmitter } from 'node:events';
import { KITTY_CLEAR } from '../media/terminal-picture.js';

/** What is needed of `process.stdout`. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** A picture drawn over blank lines of a frame; `row` and `column` from 0. */
export interface Overlay {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly code: string;
}

export interface ScreenOptions {
  /** Frames a second at most. */
  readonly maxFps?: number;
  /** For screen readers: prints what is new below what was, and never moves the cursor. */
  readonly linear?: boolean;
}

const BEGIN_FRAME = '\x1b[?2026h';
const END_FRAME = '\x1b[?2026l';

export class ScreenBuffer extends EventEmitter {
  /** Frames written so far. */
  frames = 0;
  private shown: (string | null)[] = [];
  private wanted: readonly string[] | null = null;
  private overlays: readonly Overlay[] = [];
  private drawnOverlays: readonly Overlay[] = [];
  private timer: NodeJS.Timeout | null = null;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private paused = false;
  private readonly interval: number;
  private readonly onResize = () => {
    this.forget();
    this.emit('resize');
  };

  constructor(
    private readonly terminal: TerminalOutput,
    private readonly options: ScreenOptions = {},
  ) {
    super();
    this.setMaxListeners(0);
    this.interval = 1000 / (options.maxFps ?? 30);
    terminal.on('resize', this.onResize);
  }

  get columns(): number {
    return this.terminal.columns || 80;
  }

  get rows(): number {
    return this.terminal.rows || 24;
  }

  /** Takes sentences from Ink, which calls this. */
  write(frame: string): boolean {
    if (this.options.linear) this.show(frame.split('\n'));
    return true;
  }

  /** Takes a frame: what each row of the terminal is to show, escape sequences included. */
  show(lines: readonly string[]): void {
    this.wanted = lines;
    this.schedule();
  }

  /** Replaces all pictures; they are drawn with the next frame. */
  setOverlays(overlays: readonly Overlay[]): void {
    this.overlays = overlays;
    this.schedule();
  }

  /** Draws what is waiting now. */
  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.wanted === null || this.paused) return;
    this.drawnAt = performance.now();
    if (this.options.linear) this.drawNew(this.wanted);
    else this.draw(this.wanted);
  }

  /** While paused nothing is written; afterwards everything is drawn anew. */
  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) return;
    this.forget();
    this.schedule();
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.paused = true;
    this.terminal.off('resize', this.onResize);
    if (this.drawnOverlays.length > 0) this.terminal.write(KITTY_CLEAR);
  }

  private schedule(): void {
    if (this.timer || this.paused) return;
    const wait = Math.max(0, this.drawnAt + this.interval - performance.now());
    this.timer = setTimeout(() => this.flush(), wait);
  }

  /** What is on the terminal is not known any more. */
  private forget(): void {
    this.shown = [];
    this.drawnOverlays = [];
  }

  private draw(frame: readonly string[]): void {
    const lines = frame.slice(0, this.rows);
    const first = this.shown.length === 0;
    const sameOverlays = this.overlays === this.drawnOverlays;
    // Text takes a picture away only where it is written anew.
    if (!sameOverlays) for (const { row, rows } of this.drawnOverlays) this.shown.fill(null, row, row + rows);
    let changes = first ? '\x1b[0m\x1b[2J' : '';
    let hurt = false;
    for (let row = 0; row < Math.max(lines.length, this.shown.length); row++) {
      const line = lines[row] ?? '';
      if (line === this.shown[row]) continue;
      hurt ||= this.overlays.some((overlay) => row >= overlay.row && row < overlay.row + overlay.rows);
      if (!first || line !== '') changes += `\x1b[${row + 1};1H\x1b[2K${line}`;
    }
    if (this.drawnOverlays.length > 0 && (hurt || !sameOverlays)) changes += KITTY_CLEAR;
    if (hurt || !sameOverlays)
      for (const { row, column, code } of this.overlays) changes += `\x1b[${row + 1};${column + 1}H${code}`;
    this.shown = lines;
    this.drawnOverlays = this.overlays;
    if (changes === '') return;
    this.frames++;
    this.terminal.write(`${BEGIN_FRAME}${changes}${END_FRAME}`);
  }

  private drawNew(frame: readonly string[]): void {
    const lines = frame.filter((line) => line.trim() !== '');
    const before = new Set(this.shown);
    const fresh = lines.filter((line) => !before.has(line));
    this.shown = lines;
    if (fresh.length === 0) return;
    this.frames++;
    this.terminal.write(`${fresh.join('\n')}\n`);
  }
}
