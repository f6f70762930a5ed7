/** @file A program in a pseudo-terminal: keys go in, a screen comes out. For tests, benchmarks and screenshots. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';

/** The built command line. */
const bin = fileURLToPath(new URL('../dist/cli/bin.js', import.meta.url));
/**
 * What the shell writes last, a title that no screen shows. It ends when it is answered: node-pty drops what has not been
 * read 200 ms after the end.
 */
const FINISHED = '\x1b]0;finished\x07';

export interface SessionOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** A shell command that runs afterwards in the same terminal. */
  readonly then?: string;
  /** False keeps `output` alone: no screen is made of it. */
  readonly emulate?: boolean;
}

/** `superstim` with some arguments, in a terminal of its own. */
export class TerminalSession {
  readonly terminal;
  /** The exit code when it has ended, as a shell reports it: 128 and the signal's number where a signal ended it. */
  readonly ended: Promise<number>;
  /** All that was written, escape sequences included. */
  output = '';
  private readonly pty: IPty;

  constructor(flags: readonly string[], options: SessionOptions = {}) {
    const { columns = 80, rows = 24, env = {}, folder, then, emulate = true } = options;
    this.terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...surroundings } = process.env;
    const command = [process.execPath, bin, ...flags];
    // The words reach the shell as its arguments, which need no quotes.
    const script = `"$@"; status=$?; ${then}; printf '${FINISHED}'; read -r _; exit $status`;
    const [program = '', ...words] = then === undefined ? command : ['sh', '-c', script, 'sh', ...command];
    this.pty = spawn(program, words, {
      cols: columns,
      rows,
      env: { ...surroundings, TERM: 'xterm-256color', COLORTERM: 'truecolor', ...env },
      ...(folder !== undefined && { cwd: folder }),
    });
    this.ended = new Promise((resolve) =>
      this.pty.onExit(async ({ exitCode, signal }) => {
        // The last words may come after the news of the end, and the terminal reads them later still.
        await this.rests(100);
        this.terminal.write('', () => resolve(signal ? 128 + signal : exitCode));
      }),
    );
    this.pty.onData((data) => {
      this.output += data;
      if (emulate) this.terminal.write(data);
      if (this.output.endsWith(FINISHED)) this.pty.write('\n');
    });
  }

  type(keys: string): void {
    this.pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.pty.resize(columns, rows);
  }

  kill(signal: string): void {
    this.pty.kill(signal);
  }

  /** What is on the screen, without colours. */
  get screen(): string {
    const { active } = this.terminal.buffer;
    return Array.from(
      { length: this.terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    ).join('\n');
  }

  /**
   * Waits until the screen has a text.
   *
   * @throws Error with the screen as it is when it does not come
   */
  async sees(text: string | RegExp, seconds = 60): Promise<void> {
    const until = performance.now() + 1000 * seconds;
    const matches = () => (typeof text === 'string' ? this.screen.includes(text) : text.test(this.screen));
    while (!matches()) {
      if (performance.now() > until) throw new Error(`no ${text} in ${seconds} s on\n${this.screen}`);
      await sleep(20);
    }
  }

  /** Waits until nothing has been written for a while. */
  async rests(milliseconds = 400): Promise<void> {
    for (let length = -1; length !== this.output.length; ) {
      length = this.output.length;
      await sleep(milliseconds);
    }
  }
}
