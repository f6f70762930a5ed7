/** Texts to stay quiet on: which of them are files, and how they are scored. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun } from '../../runs/events.js';
import { encodeText } from '../lm/encode-text.js';
import { loadTextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import { Probe } from '../readouts/probe.js';
import { calibrate, resolveUnits, type Session } from '../readouts/session.js';
import { loudest, quietTexts } from './quiet.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-quiet-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

it('takes texts, and the lines of files in any encoding that is read', async () => {
  const lines = file('lines', 'one\r\n\n two \n');
  const wide = file('wide.txt', Buffer.from('\uFEFFthree\nfour', 'utf16le'));
  expect(await quietTexts(['and/or', lines, 'Is it there?', wide])).toEqual([
    ...['and/or', 'one', ' two ', 'Is it there?', 'three', 'four'],
  ]);
  const long = Array.from({ length: 4000 }, (_, i) => `line ${i}`);
  expect(await quietTexts([file('long', long.join('\n'))])).toEqual(long);
  // A word that is also the name of a folder, and more than a name can have.
  expect(await quietTexts(['src', 'x'.repeat(5000)])).toEqual(['src', 'x'.repeat(5000)]);
});

it.each(['missing.txt', './missing', '/no/where', 'Prompts.TXT', 'a.txt.gz'])(
  '%s is a file that is missing',
  (name) => expect(quietTexts([name])).rejects.toThrow(`could not read ${name}: there is no such file`),
);

it('refuses what is no text, one endless line, and too many', async () => {
  await expect(quietTexts([file('latin.txt', Buffer.from('caf\xe9s', 'latin1'))])).rejects.toThrow(
    /byte 3 .*0xe9/,
  );
  await expect(quietTexts([file('line', 'x'.repeat(200_000))])).rejects.toThrow(
    /more than 100000 characters/,
  );
  await expect(quietTexts([file('many', 'x\n'.repeat(20_000))])).rejects.toThrow(/more than 5000 texts/);
  if (process.platform === 'linux') await expect(quietTexts(['/dev/zero'])).rejects.toThrow(/a device/);
});

it('scores many texts in few calls, each as it is scored alone', async () => {
  const model = await loadTextModel(`${embeddedFolder}/books-lm`);
  const session: Session = {
    model,
    engine: 'onnx',
    measure: 'delta',
    at: 'max',
    reference: 'none',
    seed: 0,
  };
  const subject = openSubject(model, 'onnx');
  const calibration = await finishRun(calibrate(session));
  const plan = resolveUnits('L1.H3', session);
  const probe = await Probe.create({ subject, ...plan, calibration, at: 'max' });
  const texts = Array.from(
    { length: 400 },
    (_, i) => `${i % 2 ? 'What is' : 'I saw'} ${i % 10} and ${i % 7}`,
  );
  const alone = async (text: string) => {
    const ids = encodeText(subject, text);
    return (await probe.score(ids, ids.length, 1)).z[0]!;
  };
  let expected = Number.NEGATIVE_INFINITY;
  for (const text of new Set(texts)) expected = Math.max(expected, await alone(text));
  const calls = vi.spyOn(probe, 'score');
  expect(await loudest(probe, subject, texts)).toBeCloseTo(expected, 3);
  expect(calls.mock.calls.length).toBeLessThan(20);
  expect(await loudest(probe, subject, [])).toBeNull();
  await expect(loudest(probe, subject, texts, AbortSignal.abort(new Error('stopped')))).rejects.toThrow(
    'stopped',
  );
  await probe.dispose();
});
