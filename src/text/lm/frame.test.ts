/** Prefixes, suffixes, chat templates and BOS: which tokens stand around a text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  byteLevel,
  chatMl,
  metaspaceBpe,
  tinyModel,
  wordLevel,
} from '../../../test/helpers/tiny-tokenizers.js';
import { UsageError, UserError } from '../../core/errors.js';
import { type FrameChoice, inFrame } from './frame.js';
import { loadTextModel } from './model.js';

const root = mkdtempSync(join(tmpdir(), 'superstim-frame-'));
afterAll(() => rmSync(root, { recursive: true }));

const json = byteLevel(chatMl.special);
const { template: chat_template } = chatMl;
const qwenLike = await loadTextModel(tinyModel(root, json, { eos_token: '<|im_end|>', chat_template }, {}));
const withBos = await loadTextModel(
  tinyModel(root, json, { bos_token: '<|endoftext|>', chat_template: `{{ bos_token }}${chat_template}` }),
);
const plain = await loadTextModel(tinyModel(root, json, { bos_token: '<|endoftext|>' }));

const nothing: FrameChoice = { prefix: '', suffix: '', chat: null, bos: 'auto' };
function strings(model: typeof plain, choice: Partial<FrameChoice>) {
  const { before, after } = inFrame(model, { ...nothing, ...choice }, 'last').frame!;
  return [before.join(''), after.join('')];
}

describe('the frame of a text', () => {
  it.each([
    [{}, '<|endoftext|>', ''],
    [{ prefix: 'in the', suffix: '!' }, '<|endoftext|>in the', '!'],
    [{ prefix: 'in', bos: 'never' }, 'in', ''],
    [{ prefix: '<|endoftext|>in' }, '<|endoftext|>in', ''],
  ] as const)('of %o', (choice, before, after) => {
    expect(strings(plain, choice)).toEqual([before, after]);
  });

  const turn = '<|im_start|>user\nsay: ';
  const rest = '?<|im_end|>\n<|im_start|>assistant\n';
  const user = { chat: 'user', prefix: 'say: ', suffix: '?' } as const;
  it.each([
    ['no BOS where the template has none', qwenLike, 'auto', turn],
    ['one that is asked for', plain, 'always', null],
    ['one where the template has one', withBos, 'auto', `<|endoftext|>${turn}`],
    ['one where both have', withBos, 'always', `<|endoftext|>${turn}`],
    ['none where it is unwanted', withBos, 'never', turn],
  ] as const)('is a turn of a conversation, with %s', (_, model, bos, before) => {
    if (before === null) {
      const message = /^this tokenizer has no chat template: /;
      expect(() => strings(model, { ...user, bos })).toThrow(UserError);
      expect(() => strings(model, { ...user, bos })).toThrow(message);
    } else expect(strings(model, { ...user, bos })).toEqual([before, rest]);
  });

  it('is a question, and the text the answer', () => {
    expect(strings(withBos, { chat: 'assistant', prefix: 'why', suffix: '.' })).toEqual([
      '<|endoftext|><|im_start|>user\nwhy<|im_end|>\n<|im_start|>assistant\n',
      '.<|im_end|>\n',
    ]);
    expect(() => strings(withBos, { chat: 'assistant' })).toThrow(UsageError);
  });

  it('is written by chat_template.jinja too', async () => {
    const folder = tinyModel(root, json, { bos_token: '<|endoftext|>' });
    writeFileSync(join(folder, 'chat_template.jinja'), "{{ 'Q: ' + messages[0].content }}");
    expect(strings(await loadTextModel(folder), { chat: 'user' })).toEqual(['Q: ', '']);
  });

  it.each([
    ["{{ 'nothing' }}", 'does not write the turn of the user once and as it is'],
    [
      "{{ raise_exception('no system role') }}",
      'the chat template of this tokenizer cannot be used: no system role',
    ],
    ['{% for %}', 'the chat template of this tokenizer cannot be used'],
  ])('is refused for the template %s', async (chat_template, message) => {
    const model = await loadTextModel(tinyModel(root, json, { bos_token: '<|endoftext|>', chat_template }));
    expect(() => strings(model, { chat: 'user' })).toThrow(UserError);
    expect(() => strings(model, { chat: 'user' })).toThrow(message);
  });

  it('needs something before the text, and room', async () => {
    expect(() => strings(plain, { bos: 'never' })).toThrow(/never leaves nothing before a text/);
    expect(() => strings(plain, { prefix: 'x'.repeat(39) })).toThrow(/has 40 tokens, which leaves no room/);
    const bare = await loadTextModel(tinyModel(root, wordLevel(['0', '1'])));
    expect(() => strings(bare, {})).toThrow(/neither a BOS nor an EOS token to start a text with: give a/);
    expect(strings(bare, { prefix: '10' })).toEqual(['10', '']);
    expect(() => strings(bare, { prefix: '10', bos: 'always' })).toThrow(UserError);
  });

  it('has no suffix where nothing sees it', () => {
    expect(() => inFrame(plain, { ...nothing, suffix: '!' }, 'max')).toThrow(/`suffix` behind it/);
    expect(inFrame(withBos, { ...nothing, chat: 'user' }, 'max').frame!.after).toEqual([]);
  });
});

describe('a text in a frame', () => {
  const framed = inFrame(plain, { ...nothing, prefix: 'in t', suffix: 'q' }, 'last').tokenizer;

  it('is tokenized apart', () => {
    const whole = plain.tokenizer.tokens('in the');
    expect([...plain.tokenizer.tokens('in t'), ...framed.tokens('he')]).not.toEqual(whole);
    const ids = framed.encode('he');
    expect(ids[0]).toBe(framed.start);
    expect(framed.decode(ids)).toBe('he');
  });

  it.each([
    ['in', true],
    // "t" and "he" would be one token, and so would two q.
    ['he', false],
    ['inq', false],
  ])('survives only where it is tokenized alike as one with it: %s', (text, survives) => {
    expect(framed.roundTrips(framed.encode(text))).toBe(survives);
    expect(plain.tokenizer.roundTrips(plain.tokenizer.encode(text))).toBe(true);
  });

  it('of a tokenizer that puts a space before words', async () => {
    const model = await loadTextModel(
      tinyModel(root, metaspaceBpe(['▁ a', 'b c', '▁ bc']), { bos_token: '<s>' }),
    );
    const { tokenizer } = inFrame(model, { ...nothing, prefix: 'a a' }, 'max');
    expect(tokenizer.roundTrips(tokenizer.encode('bc a'))).toBe(true);
    // "a a" before "c" without a space is another text.
    expect(tokenizer.roundTrips([tokenizer.start!, model.tokenizer.tokenId('c')!])).toBe(false);
  });
});
