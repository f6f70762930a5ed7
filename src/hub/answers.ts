/** @file What the hub says about a model, read by schema and within limits: its commit and its files. */
import * as z from 'zod';
import { UserError } from '../core/errors.js';
import {
  bodyOf,
  connectionError,
  type HubAccess,
  HubUnreachable,
  hubFetch,
  settledWithin,
} from './access.js';
import { hubLibrary } from './hub-library.js';

/** A file as the hub's listing describes it. */
export interface RemoteFile {
  /** In the repository. */
  path: string;
  /** Bytes. */
  size: number;
  /** Hex digest that also names the blob: SHA-256 for LFS files, git's SHA-1 otherwise. */
  etag: string;
}

/** Far above what real models need. */
const limits = { answerBytes: 16e6, pages: 100, entries: 100_000 } as const;

const infoSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

/** The digest becomes a file name, and says which hash to check. */
const digest = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const size = z.int().nonnegative();
const treeSchema = z
  .array(
    z.discriminatedUnion('type', [
      z.object({
        type: z.literal('file'),
        path: z.string().max(4000),
        size,
        oid: digest,
        lfs: z.object({ oid: digest }).nullish(),
      }),
      z.object({ type: z.enum(['directory', 'unknown']) }),
    ]),
  )
  .max(limits.entries);

/**
 * The commit that the revision stands for at this moment.
 *
 * @throws HubUnreachable, UserError as `hubFetch`; HubUnreachable when the answer is none of a hub
 */
export async function askCommit(access: HubAccess): Promise<string> {
  const { repo: name, revision } = access.model;
  const { sha } = await hubLibrary().modelInfo({
    name,
    revision,
    additionalFields: ['sha'],
    hubUrl: access.settings.endpoint,
    fetch: checkedFetch(access, infoSchema),
  });
  return sha;
}

/**
 * The files of a commit.
 *
 * @param under - a folder, with all that is in its folders; without one, the files that are in no folder
 * @throws HubUnreachable, UserError as `askCommit`; UserError when there is no such folder, or the listing does not end
 */
export async function listRemote(
  access: HubAccess,
  commit: string,
  under?: string,
): Promise<Map<string, RemoteFile>> {
  const files = new Map<string, RemoteFile>();
  const entries = hubLibrary().listFiles({
    repo: access.model.repo,
    revision: commit,
    ...(under !== undefined && { path: under, recursive: true }),
    hubUrl: access.settings.endpoint,
    fetch: checkedFetch(access, treeSchema),
  });
  let count = 0;
  for await (const { type, path, size, oid, lfs } of entries) {
    if (++count > limits.entries) throw endless(access);
    if (type === 'file') files.set(path, { path, size, etag: lfs?.oid ?? oid ?? '' });
  }
  return files;
}

/** A `fetch` for the library that hands it nothing but what the schema describes. */
function checkedFetch(access: HubAccess, schema: z.ZodType): typeof globalThis.fetch {
  let pages = 0;
  return async (url) => {
    if (++pages > limits.pages) throw endless(access);
    const response = await hubFetch(access, String(url), { Accept: 'application/json' });
    const read = textOf(access, bodyOf(access, response));
    const text = await settledWithin(access.settings.patience.silence, read).catch((error: unknown) => {
      throw connectionError(access, error);
    });
    const link = response.headers.get('Link');
    const body = JSON.stringify(checked(access, schema, text));
    return new Response(body, link === null ? {} : { headers: { Link: link } });
  };
}

async function textOf({ settings }: HubAccess, body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > limits.answerBytes) {
      throw new UserError(
        `${settings.endpoint} answered with more than ${limits.answerBytes / 1e6} MB where a few are usual; check HF_ENDPOINT`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function checked({ settings }: HubAccess, schema: z.ZodType, text: string): unknown {
  const strange = (what: string) =>
    new HubUnreachable(
      `${settings.endpoint} does not answer as a Hugging Face hub does (${what}); check HF_ENDPOINT, and whether your network wants you to log in`,
    );
  if (/^\s*</.test(text)) throw strange('a web page');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw strange(text.trim() === '' ? 'an empty answer' : 'no JSON');
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw strange([...path, message].join(': '));
}

function endless({ model, settings }: HubAccess): UserError {
  return new UserError(
    `the listing of ${model.repo} on ${settings.endpoint} does not end (over ${limits.pages} pages or ${limits.entries} files); check HF_ENDPOINT`,
  );
}
