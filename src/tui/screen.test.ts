import { describe, expect, it } from 'vitest';
import { ScreenBuffer, type TerminalOutput } from './screen.js';

/** A terminal that keeps what is written to it. */
class Recorder implements TerminalOutput {
  written: string[] = [];
  columns = 20;
  rows = 3;
  private listener: () => void = () => undefined;

  write(text: string): void {
    this.written.push(text);
  }

  on(_: 'resize', listener: () => void): void {
    this.listener = listener;
  }

  off(): void {
    this.listener = () => undefined;
  }

  resize(rows: number): void {
    this.rows = rows;
    this.listener();
  }

  /** What was written since the last look. */
  take(): string {
    return this.written.splice(0).join('');
  }
}

function opened(options = {}) {
  const terminal = new Recorder();
  const screen = new ScreenBuffer(terminal, options);
  const show = (...lines: string[]) => {
    screen.show(lines);
    screen.flush();
    return terminal.take();
  };
  return { terminal, screen, show };
}

describe('Screen', () => {
  it('writes the lines that changed and no others', () => {
    const { show } = opened();
    expect(show('one', 'two')).toContain('\x1b[1;1H\x1b[2Kone');
    const second = show('one', 'other');
    expect(second).toContain('\x1b[2;1H\x1b[2Kother');
    expect(second).not.toContain('one');
    expect(show('one', 'other')).toBe('');
    expect(show('one')).toContain('\x1b[2;1H\x1b[2K');
  });

  it('never writes below the terminal, and everything anew after it was resized', () => {
    const { terminal, screen, show } = opened();
    expect(show('1', '2', '3', '4')).not.toContain('4;1H');
    terminal.resize(4);
    screen.flush();
    const anew = terminal.take();
    for (const line of ['1', '2', '3', '4']) expect(anew).toContain(`\x1b[${line};1H\x1b[2K${line}`);
  });

  it('draws a picture again when the text under it was written', () => {
    const { terminal, screen, show } = opened();
    show('a', 'b', 'c');
    screen.setOverlays([{ row: 1, column: 2, rows: 1, code: 'PICTURE' }]);
    screen.flush();
    expect(terminal.take()).toContain('\x1b[2;3HPICTURE');
    expect(show('A', 'b', 'c')).not.toContain('PICTURE');
    expect(show('A', 'B', 'c')).toContain('PICTURE');
  });

  it('draws at most so often', async () => {
    const { terminal, screen } = opened({ maxFps: 20 });
    const until = performance.now() + 300;
    for (let i = 0; performance.now() < until; i++) {
      screen.show([String(i)]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    screen.close();
    expect(terminal.written.length).toBeGreaterThan(0);
    expect(terminal.written.length).toBeLessThanOrEqual(8);
  });

  it('tells a screen reader only what is new, without moving the cursor', () => {
    const { show } = opened({ linear: true });
    expect(show('one', 'two')).toBe('one\ntwo\n');
    expect(show('one', 'three')).toBe('three\n');
  });

  it('writes nothing while it is paused or closed', () => {
    const { screen, terminal, show } = opened();
    screen.pause(true);
    expect(show('one')).toBe('');
    screen.pause(false);
    screen.flush();
    expect(terminal.take()).toContain('one');
    screen.close();
    expect(show('two')).toBe('');
  });
});
