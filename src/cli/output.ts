/**
 * @file The two streams of the command line: the result on stdout, everything else on stderr, and one transient
 * status line that gives way to both.
 */
import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';
import { visible, visibleJson, visibleLines } from '../core/visible.js';
import { type TextStream, writeWhole } from './write-whole.js';

type PaintStyle = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it as it is where colour is not wanted. */
export type Paint = (style: PaintStyle, text: string) => string;

/** The options every command has (`addOutputOptions`). */
export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
  /** False after `--no-color`. */
  color?: boolean;
}

export interface Streams {
  stdout: TextStream;
  stderr: TextStream;
  env: NodeJS.ProcessEnv;
}

/**
 * Whether to colour what goes to one stream: `--no-color`, `NO_COLOR` (not empty), `FORCE_COLOR`, `TERM=dumb`,
 * and whether that stream is a terminal, in this order.
 */
export function wantsColor(stream: TextStream, env: NodeJS.ProcessEnv, flag = true): boolean {
  if (!flag || env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/**
 * Stands on both sides of each escape sequence that `paint` makes: these reach the terminal, those in foreign text do
 * not. It is an escape sequence itself, so that it has no width.
 */
const OURS = `\x1b]${randomUUID()}\x07`;

/** A text for a terminal, whatever is in it: `visible` but for line breaks and what was painted. */
function printable(text: string): string {
  return text
    .split(OURS)
    .map((part, i) => (i % 2 === 0 ? visibleLines(part) : part))
    .join('');
}

/** Where a command writes; made once from its options. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** True when stderr is a terminal that can redraw a line, and the user has not asked for quiet. */
  readonly interactive: boolean;
  private readonly streams: Streams;
  private readonly color: boolean | undefined;
  private shown = false;

  constructor(options: OutputOptions = {}, streams: Streams = process) {
    this.json = options.json ?? false;
    this.quiet = options.quiet ?? false;
    this.color = options.color;
    this.streams = streams;
    this.interactive = streams.stderr.isTTY === true && streams.env.TERM !== 'dumb' && !this.quiet;
  }

  /**
   * Prints the result, the only thing that goes to stdout. Throws UserError when it cannot be written whole.
   *
   * @param document - printed as one line of JSON with `--json`
   * @param text - makes what people read otherwise
   * @param picture - stands in front of the text as it is: escape sequences that this program made
   */
  result(document: unknown, text: (paint: Paint) => string, picture = ''): void {
    this.status(null);
    const body = this.json
      ? visibleJson(document)
      : picture + printable(text(this.paint(this.streams.stdout)));
    writeWhole(this.streams.stdout, body.endsWith('\n') ? body : `${body}\n`);
  }

  /** A remark on stderr; not with `--quiet`. */
  say(text: string | ((paint: Paint) => string)): void {
    if (!this.quiet) this.writeLine(text);
  }

  /** Something the user should know, on stderr; also with `--quiet`. */
  warn(message: string): void {
    this.writeLine((paint) => `${paint('yellow', 'warning:')} ${visible(message)}`);
  }

  /** Why the command failed, on stderr. */
  error(message: string): void {
    this.writeLine((paint) => `${paint('red', 'error:')} ${message}`);
  }

  /** Draws the status line over the last one; null takes it away. Nothing happens off a terminal. */
  status(line: string | null): void {
    if (!this.interactive || (line === null && !this.shown)) return;
    this.streams.stderr.write(`\r\x1b[2K${printable(line ?? '')}`);
    this.shown = line !== null;
  }

  /** How many columns the status line may fill; one is kept free, where the cursor stands. */
  get statusWidth(): number {
    return (this.streams.stderr.columns || 80) - 1;
  }

  /** The painter of stderr, for the status line. */
  get statusPaint(): Paint {
    return this.paint(this.streams.stderr);
  }

  private writeLine(text: string | ((paint: Paint) => string)): void {
    this.status(null);
    const line = typeof text === 'string' ? text : text(this.paint(this.streams.stderr));
    this.streams.stderr.write(`${printable(line)}\n`);
  }

  private paint(stream: TextStream): Paint {
    if (!wantsColor(stream, this.streams.env, this.color)) return (_style, text) => text;
    return (style, text) => {
      // The decision is made; `styleText` need not make it again for a stream it does not know.
      const [begin, end] = styleText(style, '\0', { validateStream: false }).split('\0');
      return `${OURS}${begin}${OURS}${text}${OURS}${end}${OURS}`;
    };
  }
}
