/** The built program in a pseudo-terminal: what is on the screen, and how the terminal is left. */
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../src/runs/read-run.js';
import { TerminalSession } from '../tools/terminal-session.js';
import { imageRun, scored, textRun, tuneRun, writeRun } from './helpers/example-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-tui-'));
const runs = { text: '', other: '', image: '', tune: '' };
beforeAll(async () => {
  runs.text = textRun(folder);
  runs.other = textRun(folder, [scored('quite another text', 2, 9)]);
  runs.image = await imageRun(folder);
  runs.tune = tuneRun(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const DOWN = '\x1b[B';
/** Says of the terminal, after the program, whether it reads lines and echoes. */
const then = 'stty -a';

/** All that was written, the escape character readable. */
const escapes = ({ output }: TerminalSession) => output.replaceAll('\x1b', '⎋');

/** The first screen is back, the cursor is shown, and input is what it was. */
async function expectLeft(session: TerminalSession, code: number): Promise<void> {
  expect(await session.ended).toBe(code);
  await session.sees(/\sicanon/, 5);
  expect(session.screen).toMatch(/\secho\s/);
  expect(session.terminal.buffer.active.type).toBe('normal');
  expect(session.output.lastIndexOf('\x1b[?25h')).toBeGreaterThanOrEqual(
    session.output.lastIndexOf('\x1b[?25l'),
  );
}

describe('superstim view in a terminal', () => {
  it('follows keys and resize, and leaves the terminal as it was', async () => {
    const session = new TerminalSession(['view', runs.text], { then });
    await session.sees('3 candidates');
    expect(session.terminal.buffer.active.type).toBe('alternate');
    // Keys at once: each on the screen that the one before it made.
    session.type(`${DOWN}${DOWN}\r`);
    await session.sees('“She said⏎⇥"Monday" twice”');
    session.type('\x1b');
    await session.sees('3 candidates');
    session.resize(160, 50);
    await session.sees(/frontier.*3 candidates/);
    session.resize(80, 24);
    await session.sees(/candidates, by nats ─/);
    session.type('?');
    await session.sees('to the shell; fg comes back');
    session.type('?q');
    await expectLeft(session, 0);
  });

  const screens: readonly (readonly [string, () => string, string, string | RegExp])[] = [
    ['runs', () => folder, '', '4 runs in'],
    ['filter', () => folder, '/tune', '1 of 4 runs'],
    ['search', () => runs.text, '', '3 candidates'],
    ['help', () => runs.text, '?', 'to the shell'],
    ['candidate', () => runs.text, '\r', 'against its rivals'],
    ['edit', () => runs.text, '\rex', 'editing'],
    ['two texts', () => runs.text, ` ${DOWN}c`, /rivals[\s\S]*rivals/],
    ['two runs', () => folder, `/text\r ${DOWN}c`, 'frontiers: z against nats'],
    ['picture', () => runs.image, '', /frame 4 of 4[\s\S]*▀/],
    ['training', () => runs.tune, '', 'sample of step 8'],
  ];
  it.each(screens)('is left by Ctrl-C: %s', async (_, path, keys, text) => {
    const session = new TerminalSession(['view', path()], { then });
    await session.sees('leave');
    session.type(keys);
    await session.sees(text);
    session.type('\x03');
    await expectLeft(session, 130);
  });

  it('gives the terminal back when it crashes', async () => {
    const signal = join(folder, 'crash');
    const code = `import { existsSync } from 'node:fs';
      setInterval(() => { if (existsSync(${JSON.stringify(signal)})) throw new Error('on purpose'); }, 20).unref();`;
    const crash = join(folder, 'crash.mjs');
    writeFileSync(crash, code);
    const session = new TerminalSession(['view', runs.text], {
      then,
      env: { NODE_OPTIONS: `--import=${crash}` },
    });
    await session.sees('3 candidates');
    writeFileSync(signal, '');
    await expectLeft(session, 1);
    expect(session.output).toContain('on purpose');
  });

  it('gives the terminal back when it is terminated', async () => {
    const session = new TerminalSession(['view', runs.text]);
    await session.sees('3 candidates');
    session.kill('SIGTERM');
    await session.ended;
    expect(session.terminal.buffer.active.type).toBe('normal');
  });

  it('says what is missing of damaged runs, and shows the rest', async () => {
    const damaged = writeRun(folder, 'text', 'L1.H2', [
      { kind: 'candidate', source: 'search', candidate: scored('still here', 2, 3), operator: 'swap' },
    ]);
    appendFileSync(join(damaged, 'events.jsonl'), '{"kind":"hologram","at":2}\nnonsense\n{"kind":"fin');
    const session = new TerminalSession(['view', damaged], { rows: 40 });
    await session.sees('still here');
    await session.sees('the last line of events.jsonl was cut off');
    await session.sees(/! \d more: see superstim view/);
    session.type('q');
    await session.ended;

    const empty = join(folder, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'events.jsonl'), '');
    const nothing = new TerminalSession(['view', empty]);
    await nothing.sees('run.json is missing');
    await nothing.sees('events.jsonl is empty');
    nothing.type('q');
    await nothing.ended;

    rmSync(join(runs.image, 'frames/000030.png'));
    const frameless = new TerminalSession(['view', runs.image]);
    await frameless.sees('1 of 4 frames are missing');
    frameless.type('\x1b[D');
    await frameless.sees('frame 3 of 4');
    frameless.type('q');
    await frameless.ended;
    for (const path of [damaged, empty]) rmSync(path, { recursive: true });
  });

  it('writes no colours with NO_COLOR', async () => {
    const session = new TerminalSession(['view', runs.text], { env: { NO_COLOR: '1' } });
    await session.sees('3 candidates');
    session.type('\r');
    await session.sees('against its rivals');
    session.type('q');
    await session.ended;
    expect(escapes(session)).not.toMatch(/⎋\[[\d;]*[34]8;/);
  });

  it('speaks in sentences to a screen reader, and never moves the cursor', async () => {
    const session = new TerminalSession(['view', runs.text, '--screen-reader'], { columns: 200, then });
    await session.sees('text 1 of 3: z 3.20, 2.10 nats a token');
    session.type(DOWN);
    await session.sees('text 2 of 3');
    session.type('\r');
    await session.sees('rivals: L2.H1');
    session.type('q');
    await expectLeft(session, 0);
    expect(escapes(session)).not.toMatch(/⎋\[\d*;?\d*H|⎋\[\d*[AJ]|⎋\[\?1049h/);
  });
});

describe('--tui in a terminal', () => {
  const out = join(folder, 'live');

  it('shows a search while it runs, stops it, and keeps what it found', async () => {
    const flags = ['text', '--unit', 'L0.H3', '--seconds', '60', '--out', out, '--tui'];
    const session = new TerminalSession(flags, { then, rows: 40 });
    await session.sees(/L0.H3 +text of books-lm by auto +running/);
    await session.sees(/\d+ candidates, by/);
    await session.sees(/\d\.\d s/);
    session.type('s');
    await session.sees(/text of books-lm by auto +interrupted/);
    session.type('q');
    expect(await session.ended).toBe(0);
    expect(session.output).toMatch(/run: .*live/);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('writes the last event at %s', async (name, code) => {
    const own = join(folder, name);
    const session = new TerminalSession([
      ...['text', '--unit', 'L0.H3', '--seconds', '60', '--out', own, '--tui'],
    ]);
    await session.sees(/\d+ candidates, by/);
    session.kill(name);
    expect(await session.ended).toBe(code);
    expect(readRun(join(own, readdirSync(own)[0]!)).state).toBe('interrupted');
    expect(session.terminal.buffer.active.type).toBe('normal');
  });

  it('goes on in a terminal of two rows, and of one column', async () => {
    const flags = ['text', '--unit', 'L0.H3', '--seconds', '60', '--out', out, '--tui'];
    const session = new TerminalSession(flags, { rows: 2 });
    await session.sees('text of books-lm by auto');
    session.resize(1, 2);
    await session.rests(300);
    session.resize(80, 24);
    await session.sees(/by auto +running/);
    session.type('\x03');
    expect(await session.ended).toBe(130);
  });

  it('shows a picture grow', async () => {
    const flags = [
      'image',
      '--unit',
      'block1_conv2:3',
      '--steps',
      '16',
      '--size',
      '64',
      '--runs',
      out,
      '--tui',
    ];
    const session = new TerminalSession(flags);
    await session.sees(/block1_conv2:3 +image of tiny-vgg[\s\S]*▀/);
    await session.sees(/done\s/);
    session.type('q');
    expect(await session.ended).toBe(0);
    await session.sees('picture: ');
    // The picture itself stands above, drawn and not spelled out.
    expect(session.screen).not.toContain('␛');
  });

  it('shows a training, which Ctrl-C stops', async () => {
    const flags = ['tune', '--unit', 'L0.H3', '--steps', '500', '--batch', '4', '--out', out, '--tui'];
    const session = new TerminalSession(flags, { then });
    await session.sees(/reward[\s\S]*samples of the steps/);
    session.type('\x03');
    expect(await session.ended).toBe(130);
    expect(session.output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(session.output.lastIndexOf('\x1b[?25l'));
  });
});
