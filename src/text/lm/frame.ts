/**
 * @file The frame of a text: BOS, a prefix, a suffix, what a chat template adds. Its tokens are read, but neither
 * searched nor counted in the cross entropy. Frame and text are tokenized apart.
 */
import { UsageError, UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import type { FrameReport } from '../../core/frame-report.js';
import type { BosPolicy, ChatRole, SequenceScore } from '../names.js';
import { forLength } from './by-length.js';
import type { TextModel } from './model.js';
import type { Frame, TransformerSpec } from './spec.js';
import type { Tokenizer } from './tokenizer.js';

/** What is asked for. */
export interface FrameChoice {
  readonly prefix: string;
  readonly suffix: string;
  /** Whose turn of a conversation the text is; null for no conversation. */
  readonly chat: ChatRole | null;
  readonly bos: BosPolicy;
}

/** Stands in a conversation where the text will. */
const MARK = 'TheTextOfSuperstimulus';

/**
 * The model as it reads texts in a frame.
 *
 * @param at - `last` is taken behind the text where something stands there; nothing else depends on what does
 * @throws UserError for a model without BOS, or a chat template that is missing or cannot be used; UsageError for a
 *   frame that leaves nothing before the text, or no room for it
 */
export function inFrame(model: TextModel, choice: FrameChoice, at: SequenceScore): TextModel {
  const { tokenizer, spec, name } = model;
  if (choice.suffix !== '' && at !== 'last')
    throw new UsageError(
      `nothing in a text sees the ${field('suffix')} behind it: take the value there with ${field('at')} last`,
    );
  const { before: first, after: then } = stringsOf(tokenizer, choice);
  const own = tokenizer.asWritten(first);
  const opensWithBos = tokenizer.bos !== null && own[0] === tokenizer.bos;
  const before = [...bosOf(model, choice, opensWithBos), ...(opensWithBos ? own.slice(1) : own)];
  if (before.length === 0)
    throw new UsageError(
      `${field('bos')} never leaves nothing before a text, whose first token then has no probability: give a ${field('prefix')}`,
    );
  const after = at === 'last' ? tokenizer.asWritten(then) : [];
  const around = before.length - 1 + after.length;
  // At least BOS and one token.
  const fitting = forLength(spec, around + 2);
  if (fitting.context < around + 2)
    throw new UsageError(
      `what stands around the text has ${around + 1} tokens, which leaves no room for one in the context of ${name}, ${fitting.context}`,
    );
  const frame: Frame = { before, after };
  const shown = (ids: readonly number[]) => ids.map((id) => tokenizer.tokenString(id));
  return {
    ...model,
    spec: { ...framed(fitting, around), frame },
    tokenizer: tokenizer.framed(frame),
    frame: { bos: choice.bos, chat: choice.chat, before: shown(before), after: shown(after) },
  };
}

/** With less room for a sequence. */
const framed = ({ longer, ...spec }: TransformerSpec, around: number): TransformerSpec => ({
  ...spec,
  context: spec.context - around,
  ...(longer && { longer: { ...longer, context: longer.context - around } }),
});

/** What is written before and behind the text. */
function stringsOf(
  tokenizer: Tokenizer,
  { prefix, suffix, chat }: FrameChoice,
): Record<'before' | 'after', string> {
  if (chat === null) return { before: prefix, after: suffix };
  if (chat === 'assistant' && prefix === '')
    throw new UsageError(
      `${field('chat')} assistant is the model's answer: give what the user says with ${field('prefix')}`,
    );
  const written =
    chat === 'user'
      ? tokenizer.chatText([{ role: 'user', content: `${prefix}${MARK}${suffix}` }], true)
      : tokenizer.chatText(
          [
            { role: 'user', content: prefix },
            { role: 'assistant', content: `${MARK}${suffix}` },
          ],
          false,
        );
  const [before, after, ...more] = written.split(MARK);
  if (before === undefined || after === undefined || more.length > 0)
    throw new UserError(
      `the chat template of this tokenizer does not write the turn of the ${chat} once and as it is: write it out with ${field('prefix')} and ${field('suffix')}`,
    );
  return { before, after };
}

/** The BOS that stands in front: none or one. */
function bosOf(
  { tokenizer: { bos }, name }: TextModel,
  { bos: policy, chat, prefix }: FrameChoice,
  written: boolean,
): number[] {
  // A template says itself whether there is one.
  if (policy === 'never' || (policy === 'auto' && chat !== null && !written)) return [];
  if (bos !== null) return [bos];
  if (policy === 'auto' && prefix !== '') return [];
  throw new UserError(
    `the model ${name} names neither a BOS nor an EOS token to start a text with: give a ${field('prefix')}${policy === 'always' ? `, and leave ${field('bos')} out` : ''}`,
  );
}

/** The frame that a model reads texts in. */
export function frameOf({ frame, tokenizer }: Pick<TextModel, 'frame' | 'tokenizer'>): FrameReport {
  if (frame) return frame;
  const before = tokenizer.start === null ? [] : [tokenizer.tokenString(tokenizer.start)];
  return { bos: 'auto', chat: null, before, after: [] };
}

/** Whether nothing but BOS stands before texts. */
export const isPlain = ({ spec, tokenizer }: Pick<TextModel, 'spec' | 'tokenizer'>): boolean =>
  !spec.frame || (spec.frame.before.length === 1 && tokenizer.start === tokenizer.bos);
