/** The built program in a pseudo-terminal: what is on the screen, and how the terminal is left. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';
import { afterAll, describe, expect, it } from 'vitest';
import { bin, notBuilt } from './helpers/command.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-tui-'));
afterAll(() => rmSync(folder, { recursive: true }));

const candidate = (i: number) => ({
  kind: 'candidate',
  at: 1,
  candidate: {
    text: ` text ${i}`,
    token_ids: [i],
    cross_entropy: 1 + i / 10,
    raw: 1,
    z: i / 5,
    margin: 0.5,
    rank: 1,
  },
  operator: 'swap',
});

function writeRun(name: string, events: readonly object[], torn = ''): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'run.json'), JSON.stringify({ task: 'text', unit: name, settings: {} }));
  writeFileSync(
    join(path, 'events.jsonl'),
    events.map((event) => `${JSON.stringify(event)}\n`).join('') + torn,
  );
  return path;
}

const started = { kind: 'started', at: 0, task: 'text', unit: 'L1.H2', method: 'evolve' };
const run = writeRun(
  'L1.H2',
  [started, ...Array.from({ length: 30 }, (_, i) => candidate(i))],
  '{"kind":"fin',
);

/** A terminal with the program in it. */
class Session {
  readonly terminal = new headless.Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  readonly ended: Promise<number>;
  output = '';
  private readonly pty: IPty;

  constructor(...flags: string[]) {
    this.pty = spawn(process.execPath, [bin, ...flags], {
      cols: 80,
      rows: 24,
      env: { ...process.env, TERM: 'xterm-256color' },
    });
    this.ended = new Promise((resolve) => this.pty.onExit(({ exitCode }) => resolve(exitCode)));
    this.pty.onData((data) => {
      this.output += data;
      this.terminal.write(data);
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

  get screen(): string {
    const { active } = this.terminal.buffer;
    return Array.from(
      { length: this.terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    ).join('\n');
  }

  /** Waits for a text on the screen. */
  async sees(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.screen, { timeout: 60_000, interval: 50 }).toMatch(text);
  }

  /** The first screen is back and the cursor is shown. */
  expectRestored(): void {
    expect(this.terminal.buffer.active.type).toBe('normal');
    expect(this.output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(this.output.lastIndexOf('\x1b[?25l'));
  }
}

describe.skipIf(notBuilt)('superstim view in a terminal (needs npm run build)', () => {
  it('shows a damaged run, follows keys and resize, and leaves the terminal as it was', async () => {
    const session = new Session('view', run);
    await session.sees('30 candidates');
    expect(session.screen).toContain('the last line of events.jsonl was cut off');
    expect(session.terminal.buffer.active.type).toBe('alternate');
    // Three keys at once: each on the screen that the one before it made.
    session.type('\x1b[B\x1b[B\r');
    await session.sees('“ text 2”');
    session.type('\x1b');
    await session.sees('30 candidates');
    session.resize(160, 50);
    await session.sees(/frontier.*30 candidates/);
    session.type('?');
    await session.sees('to the shell; fg comes back');
    session.type('?q');
    expect(await session.ended).toBe(0);
    session.expectRestored();
  });

  it.each([
    ['runs', [folder], '', 'runs in'],
    ['search', [run], '', '30 candidates'],
    ['candidate', [run], '\r', '“ text 0”'],
  ])('is left by Ctrl-C: %s', async (_, path, keys, text) => {
    const session = new Session('view', ...path);
    await session.sees(/ctrl|keys/i);
    session.type(keys);
    await session.sees(text);
    session.type('\x03');
    expect(await session.ended).toBe(130);
    session.expectRestored();
  });

  it('gives the terminal back when it is terminated', async () => {
    const session = new Session('view', run);
    await session.sees('30 candidates');
    session.kill('SIGTERM');
    await session.ended;
    session.expectRestored();
  });
});
