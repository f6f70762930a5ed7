/** @file Text to token ids and back, by the tokenizer.json of a model folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreTrainedTokenizer } from '@xenova/transformers';
import { UserError } from '../../core/errors.js';

/** What `Tokenizer` needs to know of its model. */
export interface TokenizerOptions {
  /** Ids run from 0 to vocab - 1; a model may have more of them than its tokenizer has tokens. */
  readonly vocab: number;
  /** For a tokenizer that names no BOS itself. */
  readonly bos: number | null;
}

/** Ends of texts that a token may follow; a usable token survives behind at least one. */
const contexts = ['', ' the', '.', '\n', '1', 'qz'];

/** A tokenizer with the conventions of this project: one BOS in front, and decoding that loses nothing. */
export class Tokenizer {
  readonly vocab: number;
  /** The token that every sequence starts with; null for models without one. */
  readonly bos: number | null;
  private readonly anchor: number[];
  private excluded: readonly number[] | undefined;
  private idsByText: Map<string, number> | undefined;

  constructor(
    private readonly tokenizer: PreTrainedTokenizer,
    { vocab, bos }: TokenizerOptions,
  ) {
    this.vocab = vocab;
    this.bos = tokenizer.bos_token_id ?? bos;
    this.anchor = this.encodeBare('a');
  }

  /** Token ids of a text, behind one BOS if the model has one, whether or not its tokenizer adds it. */
  encode(text: string): number[] {
    return this.behindBos(this.tokens(text));
  }

  /** Token ids of a text alone; a BOS in front is left out. */
  tokens(text: string): number[] {
    const ids = this.encodeBare(text);
    return ids[0] === this.bos ? ids.slice(1) : ids;
  }

  /** A sequence of tokens as models read it. All BOS are put in front here. */
  behindBos(ids: readonly number[]): number[] {
    return this.bos === null ? [...ids] : [this.bos, ...ids];
  }

  /** The text of token ids; a BOS in front is left out. */
  decode(ids: ArrayLike<number>): string {
    const start = ids.length > 0 && ids[0] === this.bos ? 1 : 0;
    return this.decodeBare(Array.prototype.slice.call(ids, start));
  }

  /** Whether decoding and encoding again gives the same ids. */
  roundTrips(ids: ArrayLike<number>): boolean {
    const again = this.encode(this.decode(ids));
    if (again.length !== ids.length) return false;
    for (let i = 0; i < again.length; i++) if (again[i] !== ids[i]) return false;
    return true;
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
    const prefixes = contexts.map((text) => this.encodeBare(text));
    const isUsable = (id: number) =>
      this.storedString(id) !== undefined &&
      !special.has(id) &&
      prefixes.some((prefix) => this.roundTrips(this.behindBos([...prefix, id])));
    return Array.from({ length: this.vocab }, (_, id) => id).filter((id) => !isUsable(id));
  }

  private storedString(id: number): string | undefined {
    return this.tokenizer._tokenizer.id_to_token(id);
  }

  private encodeBare(text: string): number[] {
    return this.tokenizer.encode(text, { add_special_tokens: false });
  }

  private decodeBare(ids: number[]): string {
    // The library refuses an empty list. Its clean-up would take away spaces that encoding needs.
    return ids.length === 0 ? '' : this.tokenizer.decode(ids, { clean_up_tokenization_spaces: false });
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
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) {
    throw new UserError(
      `${folder} has no tokenizer.json; save the model's tokenizer there (a "fast" one, with save_pretrained)`,
    );
  }
  const configPath = join(folder, 'tokenizer_config.json');
  const json = readJson(path);
  const config = existsSync(configPath) ? readJson(configPath) : {};
  const { PreTrainedTokenizer } = await import('@xenova/transformers');
  let tokenizer: PreTrainedTokenizer;
  try {
    tokenizer = new PreTrainedTokenizer(json, config);
  } catch (error) {
    throw new UserError(`${path} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  const beyond = tokenizer._tokenizer.id_to_token(options.vocab);
  if (beyond !== undefined && !tokenizer._tokenizer.get_added_tokens_decoder().has(options.vocab)) {
    throw new UserError(
      `${path} belongs to another model: it has the token ${options.vocab} ("${beyond}"), but the model's ` +
        `vocabulary ends at ${options.vocab - 1}`,
    );
  }
  return new Tokenizer(tokenizer, options);
}

function readJson(path: string): object {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path} is not valid JSON`, { cause: error });
  }
  if (typeof json !== 'object' || json === null) throw new UserError(`${path} holds no JSON object`);
  return json;
}
