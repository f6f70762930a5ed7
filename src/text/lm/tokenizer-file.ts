/** @file Reading tokenizer.json and tokenizer_config.json: what others wrote, within limits. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PreTrainedTokenizer } from '@xenova/transformers';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { readRegularFile } from '../../core/regular-file.js';
import { withTimeLimit } from '../../core/time-limit.js';

/** Bytes; the largest real ones have 35 million. */
const LARGEST = 200_000_000;
const MOST_TOKENS = 2 ** 22;
/** Characters; the longest real ones are runs of a few hundred spaces. */
const LONGEST_TOKEN = 2000;
/** Long enough to build the largest tokenizers. */
const TIME_LIMIT = 60_000;

const id = z.int().min(0).max(MOST_TOKENS);
const token = z.string().max(LONGEST_TOKEN);
const addedToken = z.looseObject({ id, content: token });
const part = z.looseObject({ type: z.string().max(100) }).nullish();

/** What is used of the file here; the rest is the library's. */
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedToken).max(MOST_TOKENS).default([]),
  normalizer: part.default(null),
  pre_tokenizer: part.default(null),
  post_processor: part.default(null),
  decoder: part.default(null),
  model: z.looseObject({
    vocab: z.union([z.record(token, id), z.array(z.tuple([token, z.number()]).rest(z.unknown()))]),
    unk_token: z.string().nullish(),
    merges: z
      .array(z.union([z.string().max(2 * LONGEST_TOKEN), z.array(token).length(2)]))
      .max(2 * MOST_TOKENS)
      .optional(),
  }),
});

/** A name, or an object that has it. */
const tokenName = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish();
const configSchema = z.looseObject({
  bos_token: tokenName,
  eos_token: tokenName,
  unk_token: tokenName,
  pad_token: tokenName,
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))])
    .nullish(),
});

export interface TokenizerFile {
  readonly tokenizer: PreTrainedTokenizer;
  /** Whether it has regular expressions that may run for ever. */
  readonly risky: boolean;
}

/**
 * The tokenizer of a model folder, without the tokens that the model has no embedding for.
 *
 * @param vocab - how many tokens the model has
 * @throws UserError when the folder has no tokenizer, or one that cannot be used or belongs to another model
 */
export async function readTokenizer(folder: string, vocab: number): Promise<TokenizerFile> {
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) {
    throw new UserError(
      `${folder} has no tokenizer.json; save the model's tokenizer there (a "fast" one, with save_pretrained)`,
    );
  }
  const json = readBy(tokenizerSchema, path);
  checkVocabulary(json.model.vocab, vocab, path);
  // Tokens added past the embeddings (padding, mostly) can never be read.
  json.added_tokens = json.added_tokens.filter((token) => token.id < vocab);
  const configPath = join(folder, 'tokenizer_config.json');
  const config = existsSync(configPath) ? readBy(configSchema, configPath) : {};
  // The library looks for these here alone.
  config.unk_token ??= json.model.unk_token;
  const templatePath = join(folder, 'chat_template.jinja');
  if (existsSync(templatePath)) config.chat_template = readRegularFile(templatePath, LARGEST).toString();
  const { PreTrainedTokenizer } = await import('@xenova/transformers');
  try {
    const tokenizer = withTimeLimit(
      TIME_LIMIT,
      () => new PreTrainedTokenizer(json, config),
      () => new UserError(`${path} cannot be used: it takes over ${TIME_LIMIT / 1000} s to build`),
    );
    forgetLists(json.model);
    shareEnds(tokenizer);
    return { tokenizer, risky: isRisky(json) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} cannot be used: ${oneLine((error as Error).message)}`, { cause: error });
  }
}

/**
 * The library keeps the file beside the tables that it makes of it: its longest lists are emptied (of 256,000 tokens,
 * 50 MB). Merges that are lists are empty in its own table too, which nothing reads once their ranks are known.
 */
function forgetLists(model: z.infer<typeof tokenizerSchema>['model']): void {
  model.vocab = [];
  if (model.merges) model.merges.length = 0;
}

interface TrieNode {
  children: Map<string, TrieNode>;
}

const NO_CHILDREN: TrieNode['children'] = new Map();

/**
 * Where the library finds tokens by a tree of their characters (Unigram), most nodes are ends of tokens, each with an empty
 * table: one serves all of them (of 256,000 tokens, 47 MB less). Nothing is added to the tree once it is made.
 */
function shareEnds({ _tokenizer: { model } }: PreTrainedTokenizer): void {
  const { trie } = model as typeof model & { readonly trie?: { readonly root: TrieNode } };
  const left = trie ? [trie.root] : [];
  for (let node = left.pop(); node; node = left.pop()) {
    if (node.children.size === 0) node.children = NO_CHILDREN;
    else left.push(...node.children.values());
  }
}

/** Throws UserError when the vocabulary has ids that the model has not. */
function checkVocabulary(tokens: Record<string, number> | unknown[][], vocab: number, path: string): void {
  const ids: [string, number][] = Array.isArray(tokens)
    ? tokens.map((entry, id) => [String(entry[0]), id])
    : Object.entries(tokens);
  if (ids.length === 0) throw new UserError(`${path} cannot be used: its vocabulary is empty`);
  const beyond = ids.find(([, id]) => id >= vocab);
  if (beyond)
    throw new UserError(
      `${path} belongs to another model: it has the token ${beyond[1]} (${JSON.stringify(oneLine(beyond[0]))}), ` +
        `but the model's vocabulary ends at ${vocab - 1}`,
    );
}

/**
 * Whether a regular expression of the file has a group that is repeated: only such take time that grows exponentially
 * with the text. None of the usual ones has.
 */
function isRisky(json: object): boolean {
  const { model: _, added_tokens: __, ...parts } = json as Record<string, unknown>;
  return /"Regex":"(?:[^"\\]|\\.)*\)[*+{]/.test(JSON.stringify(parts));
}

/** A message of the library's, which may quote the file, as one line that a terminal shows as it is. */
export function oneLine(message: string): string {
  const line = message.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function readBy<T>(schema: z.ZodType<T>, path: string): T {
  let json: unknown;
  try {
    json = JSON.parse(readRegularFile(path, LARGEST).toString());
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is not valid JSON`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError(`${path} holds no JSON object`);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path: keys, message } = result.error.issues[0]!;
  throw new UserError(
    `${path} cannot be used: "${oneLine(keys.map(String).join('.'))}" is wrong (${oneLine(message)})`,
  );
}
