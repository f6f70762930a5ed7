import { describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/fake-streams.js';
import { Output, type OutputOptions, wantsColor } from './output.js';

function output(options: OutputOptions = {}, setting: Parameters<typeof fakeStreams>[0] = {}) {
  const { written, streams } = fakeStreams(setting);
  return { written, output: new Output(options, streams) };
}

describe('wantsColor', () => {
  const terminal = { write: () => true, isTTY: true };
  const pipe = { write: () => true };

  it('decides for each stream by itself', () => {
    expect(wantsColor(terminal, {})).toBe(true);
    expect(wantsColor(pipe, {})).toBe(false);
  });

  it('heeds --no-color, NO_COLOR, FORCE_COLOR and TERM=dumb', () => {
    expect(wantsColor(terminal, {}, false)).toBe(false);
    expect(wantsColor(terminal, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColor(terminal, { NO_COLOR: '' })).toBe(true);
    expect(wantsColor(terminal, { TERM: 'dumb' })).toBe(false);
    expect(wantsColor(pipe, { FORCE_COLOR: '1' })).toBe(true);
    expect(wantsColor(terminal, { FORCE_COLOR: '0' })).toBe(false);
    expect(wantsColor(terminal, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
  });
});

describe('Output', () => {
  it('prints the text, or with --json one line of JSON', () => {
    const text = output();
    text.output.result({ a: 1 }, () => 'a is 1');
    expect(text.written).toEqual({ stdout: 'a is 1\n', stderr: '' });
    const json = output({ json: true });
    json.output.result({ a: [1, Number.NaN], b: 'x\ny' }, () => 'a is 1');
    expect(json.written).toEqual({ stdout: '{"a":[1,null],"b":"x\\ny"}\n', stderr: '' });
  });

  it('keeps remarks back with --quiet, but not warnings and errors', () => {
    const { output: quiet, written } = output({ quiet: true });
    quiet.say('remark');
    quiet.warn('careful');
    quiet.error('broken');
    expect(written).toEqual({ stdout: '', stderr: 'warning: careful\nerror: broken\n' });
  });

  it('colours on a terminal only', () => {
    const { output: terminal, written } = output({}, { tty: true });
    terminal.error('broken');
    expect(written.stderr).toBe('\x1b[31merror:\x1b[39m broken\n');
    const { output: plain, written: plainly } = output({ color: false }, { tty: true });
    plain.error('broken');
    expect(plainly.stderr).toBe('error: broken\n');
  });

  it('lets no escape sequence through but its own', () => {
    const evil = 'a\x1b[8mb\x1b]52;c;QQ==\x07\x9b2J\u202E';
    const shown = 'a␛[8mb␛]52;c;QQ==␇<U+009B>2J<U+202E>';
    const { output: terminal, written } = output({}, { tty: true });
    terminal.result(null, (paint) => `${paint('bold', evil)}\n${evil}`);
    expect(written.stdout).toBe(`\x1b[1m${shown}\x1b[22m\n${shown}\n`);
    terminal.status(evil);
    for (const write of ['say', 'warn', 'error'] as const) terminal[write](evil);
    expect(written.stderr.replaceAll(/.\[(2K|3[139]m)/g, '').replaceAll('\r', '')).toBe(
      `${shown}${shown}\nwarning: ${shown}\nerror: ${shown}\n`,
    );
    const json = output({ json: true });
    json.output.result({ evil }, () => '');
    expect(json.written.stdout).not.toMatch(/\p{C}(?<!\n)/u);
    expect(JSON.parse(json.written.stdout)).toEqual({ evil });
  });

  it('draws the status line over itself, and takes it away for anything else', () => {
    const { output: terminal, written } = output({ color: false }, { tty: true });
    terminal.status('one');
    terminal.status('two');
    terminal.say('remark');
    terminal.status(null);
    terminal.status('three');
    terminal.result(null, () => 'done');
    expect(written.stderr).toBe('\r\x1b[2Kone\r\x1b[2Ktwo\r\x1b[2Kremark\n\r\x1b[2Kthree\r\x1b[2K');
    expect(written.stdout).toBe('done\n');
  });

  it.each([
    ['off a terminal', {}, { tty: false }],
    ['with --quiet', { quiet: true }, { tty: true }],
    ['on a dumb terminal', {}, { tty: true, env: { TERM: 'dumb' } }],
  ])('has no status line %s', (_, options, setting) => {
    const { output: still, written } = output(options, setting);
    still.status('one');
    still.status(null);
    expect(written.stderr).toBe('');
  });
});
