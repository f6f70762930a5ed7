/** @file Text to token ids and back, by the tokenizer.json of a model folder. */
import type { PreTrainedTokenizer } from '@xenova/transformers';
import { UserError } from '../../core/errors.js';
import { withTimeLimit } from '../../core/time-limit.js';
import { type ChatTurn, chatText } from './chat.js';
import type { Frame } from './spec.js';
import { oneLine, readTokenizer } from './tokenizer-file.js';

/** What `Tokenizer` needs to know of its model. */
export interface TokenizerOptions {
  /** Ids run from 0 to vocab - 1; a model may have more of them than its tokenizer has tokens. */
  readonly vocab: number;
  /** For a tokenizer that names no BOS itself. */
  readonly bos: number | null;
  /** Its regular expressions may run for ever, so that every use gets a time limit. */
  readonly risky?: boolean;
}

/** Milliseconds for one text. */
const TIME_LIMIT = 2000;

/** Characters that texts of most tokenizers may have: letters, digits, those of DNA and proteins. */
const anchors = ['a', 'A', '1', 'e', 'x'];

/** Ends of texts that a token may follow; a usable token survives behind at least one. */
const contexts = ['', ' the', '.', '\n', '1', 'qz'];

/** Stands for a token that there is not. */
const NO_TOKEN = -1;

/** Tokens of a frame beside a text that decide how the two are tokenized as one. */
const BESIDE = 8;

/** A tokenizer with the conventions of this project: one token in front, and decoding that loses nothing. */
export class Tokenizer {
  readonly vocab: number;
  /** The model's BOS, or its end-of-text token; null for models without either. */
  readonly bos: number | null;
  /** The token at position 0 of every sequence: BOS, or the last that a frame puts before the text. */
  readonly start: number | null;
  /** What stands beside a text, where that can be told from how both are tokenized as one. */
  private readonly beside: Frame | null;
  private readonly anchor: number[];
  private readonly risky: boolean;
  private excluded: readonly number[] | undefined;
  private idsByText: Map<string, number> | undefined;

  constructor(
    private readonly tokenizer: PreTrainedTokenizer,
    private readonly options: TokenizerOptions,
    frame?: Frame,
  ) {
    const { vocab, bos, risky = false } = options;
    this.vocab = vocab;
    this.risky = risky;
    const known = (id: number | null | undefined) => (id != null && id < vocab ? id : null);
    this.bos = known(tokenizer.bos_token_id) ?? known(bos) ?? known(tokenizer.eos_token_id);
    this.start = frame?.before.at(-1) ?? this.bos;
    this.anchor = this.findAnchor();
    this.beside = frame ? this.besideTexts(frame) : null;
  }

  /** The same tokenizer for texts in a frame. */
  framed(frame: Frame): Tokenizer {
    return new Tokenizer(this.tokenizer, this.options, frame);
  }

  /** Null where nothing stands there, and where whatever stands between is tokenized otherwise as one. */
  private besideTexts({ before, after }: Frame): Frame | null {
    const own = before[0] === this.bos ? before.slice(1) : before;
    const beside = { before: own.slice(-BESIDE), after: after.slice(0, BESIDE) };
    if (own.length + after.length === 0) return null;
    return contexts.some((text) => this.isOneWith(this.encodeAll(text), beside)) ? beside : null;
  }

  /** Whether text and frame, decoded and encoded as one, give the same tokens. */
  private isOneWith(ids: readonly number[], { before, after }: Frame): boolean {
    const whole = [...before, ...ids, ...after];
    if (whole.includes(NO_TOKEN)) return false;
    const again = this.encodeAll(this.decodeBare(whole));
    return again.length === whole.length && again.every((id, i) => id === whole[i]);
  }

  /** Tokens that others may stand behind, to see how they look there. */
  private findAnchor(): number[] {
    for (const text of anchors) {
      const ids = this.encodeAll(text);
      if (ids.length > 0 && this.decodeBare(ids).trim() === text) return ids;
    }
    return [];
  }

  /** Token ids of a text, behind the start token if there is one, whether or not the tokenizer adds it. */
  encode(text: string): number[] {
    return this.behindStart(this.tokens(text));
  }

  /** Token ids of a text alone, whatever stands around it; a BOS in front is left out. */
  tokens(text: string): number[] {
    const ids = this.asWritten(text);
    return ids[0] === this.bos ? ids.slice(1) : ids;
  }

  /** A sequence of tokens as models read it. All start tokens are put in front here. */
  behindStart(ids: readonly number[]): number[] {
    return this.start === null ? [...ids] : [this.start, ...ids];
  }

  /** The text of token ids; a start token in front is left out. */
  decode(ids: ArrayLike<number>): string {
    const start = ids.length > 0 && ids[0] === this.start ? 1 : 0;
    return this.decodeBare(Array.prototype.slice.call(ids, start));
  }

  /** Whether decoding and encoding a sequence again gives the same ids: alone, and as one text with its frame. */
  roundTrips(ids: ArrayLike<number>): boolean {
    return this.survives(ids) && this.standsAlone(ids);
  }

  /** Whether a sequence is tokenized in its frame, as one text with it, as it is alone. */
  standsAlone(ids: ArrayLike<number>): boolean {
    return this.beside === null || this.isOneWith(Array.prototype.slice.call(ids, 1), this.beside);
  }

  private survives(ids: ArrayLike<number>): boolean {
    const again = this.encodeAll(this.decode(ids));
    const [a, b] = [again[0] === this.bos ? 1 : 0, ids[0] === this.start ? 1 : 0];
    if (this.start !== null && b === 0) return false;
    if (again.length - a !== ids.length - b) return false;
    for (let i = 0; i + a < again.length; i++) if (again[i + a] !== ids[i + b]) return false;
    return true;
  }

  /** A conversation as the model reads it. Throws what `chatText` does. */
  chatText(conversation: readonly ChatTurn[], answers: boolean): string {
    return chatText(this.tokenizer, conversation, answers);
  }

  /** Whether its files name a BOS. */
  get namesBos(): boolean {
    return this.bos !== null && this.tokenizer.bos_token_id === this.bos;
  }

  /** Whether it comes with a chat template. */
  get hasChatTemplate(): boolean {
    return Boolean(this.tokenizer.chat_template);
  }

  /**
   * One token as it continues a text, for display: ` Paris` with its space. Part of a character is `<0xE2>` or,
   * where the tokenizer has no name for it, `�`.
   */
  tokenString(id: number): string {
    const stored = this.storedString(id);
    if (stored === undefined) return `<${id}>`;
    const before = this.decodeBare(this.anchor);
    const both = this.decodeBare([...this.anchor, id]);
    if (!both.startsWith(before)) return stored;
    const text = both.slice(before.length);
    return isByte(stored) && text.includes('\uFFFD') ? stored : text;
  }

  /** The token that `tokenString` shows as `text`, or null. */
  tokenId(text: string): number | null {
    this.idsByText ??= this.indexTexts();
    return this.idsByText.get(text) ?? null;
  }

  private indexTexts(): Map<string, number> {
    const ids = Array.from({ length: this.vocab }, (_, id) => id);
    // Later ones win: a byte's own token only stands for its letter where nothing else does.
    const isByteId = (id: number) => isByte(this.storedString(id) ?? '');
    const ordered = [...ids.filter(isByteId), ...ids.filter((id) => !isByteId(id)).reverse()];
    return new Map(ordered.map((id) => [this.tokenString(id), id]));
  }

  /** Ids that are no part of any text: BOS, EOS, padding and the like. */
  specialTokens(): readonly number[] {
    return this.tokenizer.all_special_ids;
  }

  /**
   * Ids that a search should never put into a text: special tokens, ids without a token, and tokens that do not
   * survive decoding and encoding behind any of a few texts (parts of characters; strings that merges never
   * leave). Computed at the first call: a few seconds for 150,000 tokens.
   */
  excludedTokens(): readonly number[] {
    this.excluded ??= this.findExcluded();
    return this.excluded;
  }

  private findExcluded(): number[] {
    const special = new Set<number>(this.specialTokens());
    const prefixes = contexts
      .map((text) => this.encodeAll(text))
      .filter((prefix) => !prefix.includes(NO_TOKEN));
    const isUsable = (id: number) =>
      this.storedString(id) !== undefined &&
      !special.has(id) &&
      prefixes.some((prefix) => this.survives(this.behindStart([...prefix, id])));
    return Array.from({ length: this.vocab }, (_, id) => id).filter((id) => !isUsable(id));
  }

  private storedString(id: number): string | undefined {
    return this.tokenizer._tokenizer.id_to_token(id);
  }

  /** Token ids of a text, with all that is written in it. Throws UserError for characters that have none. */
  asWritten(text: string): number[] {
    const ids = this.encodeAll(text);
    if (!ids.includes(NO_TOKEN)) return ids;
    const unknown = [...text].find((character) => this.encodeAll(character).includes(NO_TOKEN)) ?? text;
    throw new UserError(
      `the tokenizer has no token for ${JSON.stringify(oneLine(unknown))}, and none for unknown characters: leave it out`,
    );
  }

  /** Token ids of a text; NO_TOKEN where the tokenizer has none. */
  private encodeAll(text: string): number[] {
    const ids = this.within(() => this.tokenizer.encode(text, { add_special_tokens: false }));
    return ids.map((id: number | undefined) => id ?? NO_TOKEN);
  }

  private decodeBare(ids: number[]): string {
    // The library refuses an empty list. Its clean-up would take away spaces that encoding needs.
    if (ids.length === 0) return '';
    return this.within(() => this.tokenizer.decode(ids, { clean_up_tokenization_spaces: false }));
  }

  /** What the library does, its failures as sentences. */
  private within<T>(body: () => T): T {
    const late = () =>
      new UserError(
        `the tokenizer takes over ${TIME_LIMIT / 1000} s for one text: a regular expression in tokenizer.json does not end; take it from another source`,
      );
    try {
      return this.risky ? withTimeLimit(TIME_LIMIT, body, late) : body();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`the tokenizer cannot be used: ${oneLine((error as Error).message)}`, {
        cause: error,
      });
    }
  }
}

/** SentencePiece's tokens for single bytes. */
function isByte(stored: string): boolean {
  return /^<0x[0-9A-F]{2}>$/.test(stored);
}

/**
 * Loads the tokenizer of a model folder (`tokenizer.json`, and `tokenizer_config.json` if there is one). Offline;
 * the library is imported at the first call, since that takes longer than all of `--help`.
 *
 * @throws UserError when the folder has no tokenizer, or one that cannot be read
 */
export async function loadTokenizer(folder: string, options: TokenizerOptions): Promise<Tokenizer> {
  const { tokenizer, risky } = await readTokenizer(folder, options.vocab);
  return new Tokenizer(tokenizer, { ...options, risky });
}
