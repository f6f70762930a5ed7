/** @file What a result says of the tokens around its texts. */

/** Tokens that are read, but neither searched nor counted. */
export interface FrameReport {
  /** Whether BOS stands in front: `auto`, `always` or `never`. */
  bos: string;
  /** Whose turn of a conversation a text is: `user`, `assistant`, or null for no conversation. */
  chat: string | null;
  /** Before the text, as they are shown. */
  before: string[];
  /** Behind it: none unless the value is taken there (`at` is `last`). */
  after: string[];
}

/** One line for people. */
export function formatFrame({ bos, chat, before, after }: FrameReport): string {
  const shown = (tokens: readonly string[]) => JSON.stringify(tokens.join(''));
  const behind = after.length > 0 ? `, before ${shown(after)}` : '';
  const turn = chat === null ? '' : `, the ${chat}'s turn of a conversation`;
  return `read behind ${shown(before)}${behind} (BOS ${bos}${turn})`;
}
