/** @file One file of the hub into the cache: resumed where it broke off, and checked before it counts as there. */
import { createHash } from 'node:crypto';
import { createReadStream, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { makeFolder } from '../runs/files.js';
import { connectionError, type HubAccess, HubUnreachable, hubFetch, within } from './access.js';

/** A file as the hub's listing describes it. */
export interface RemoteFile {
  /** In the repository. */
  path: string;
  /** Bytes. */
  size: number;
  /** Hex digest that also names the blob: SHA-256 for LFS files, git's SHA-1 otherwise. */
  etag: string;
}

/** What was written may be of another file: the next attempt starts anew. */
class WrongSize extends UserError {}

/**
 * Downloads a file to `blob`, by way of `blob.incomplete`, which is kept when the download stops and continued
 * by the next one (Python's `huggingface_hub` does the same). Two processes may do so at once: both write the
 * same bytes to the same places.
 *
 * @param commit - the revision as a commit hash
 * @yields how many bytes are there
 * @throws HubUnreachable after too many attempts without progress; UserError when the file is not as announced or
 *   the disk refuses
 */
export async function* downloadBlob(
  access: HubAccess,
  commit: string,
  file: RemoteFile,
  blob: string,
): AsyncGenerator<number, void, void> {
  const { patience } = access.settings;
  const incomplete = `${blob}.incomplete`;
  makeFolder(dirname(blob));
  let fruitless = 0;
  let damaged = false;
  for (;;) {
    const before = sizeOf(incomplete);
    try {
      yield* appendRest(access, commit, file, incomplete);
    } catch (error) {
      if (error instanceof WrongSize) rmSync(incomplete, { force: true });
      if (!(error instanceof HubUnreachable)) throw error;
      fruitless = sizeOf(incomplete) > before ? 0 : fruitless + 1;
      if (fruitless >= patience.attempts) {
        const why = `the download of ${file.path} broke off ${fruitless} times in a row`;
        throw new HubUnreachable(`${why}: ${error.message}; the same command goes on where it stopped`, {
          cause: error,
        });
      }
      await wait(patience.delay * 2 ** fruitless, access.signal);
      continue;
    }
    if ((await digest(incomplete, file)) === file.etag) break;
    rmSync(incomplete, { force: true });
    if (damaged) {
      throw new UserError(
        `${file.path} of ${access.model.repo} arrived damaged twice (its hash is not the announced one); try again later`,
      );
    }
    damaged = true;
  }
  try {
    renameSync(incomplete, blob);
  } catch (error) {
    // Another process finished first.
    if (sizeOf(blob) !== file.size) throw fileError(error, `write ${blob}`);
  }
}

/** One connection: asks for what is not there yet and writes it as it comes. */
async function* appendRest(
  access: HubAccess,
  commit: string,
  file: RemoteFile,
  incomplete: string,
): AsyncGenerator<number, void, void> {
  const handle = await openForWriting(incomplete);
  try {
    let have = (await handle.stat()).size;
    if (have > file.size) {
      await handle.truncate(0);
      have = 0;
    }
    yield have;
    if (have === file.size) return;
    const response = await requestFrom(access, commit, file, have);
    if (response.status !== 206 && have > 0) {
      // The server does not resume: everything comes again.
      await handle.truncate(0);
      have = 0;
    }
    for await (const chunk of chunksOf(access, response)) {
      if (have + chunk.length > file.size) throw wrongSize(access, file);
      await writeAt(handle, chunk, have, incomplete);
      have += chunk.length;
      yield have;
    }
    if (have < file.size) throw connectionError(access, new Error(`${file.path} broke off`));
  } finally {
    await handle.close();
  }
}

/** Asks for the bytes from `have` on; status 206 = those, 200 = the whole file. */
async function requestFrom(
  access: HubAccess,
  commit: string,
  file: RemoteFile,
  have: number,
): Promise<Response> {
  const { endpoint, token } = access.settings;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  // The library's own download loses the status of errors, does not notice a server that ignores ranges, and
  // cannot resume. Plain fetch follows the redirect to the storage and leaves the token behind there.
  const response = await hubFetch(access, `${endpoint}/${access.model.repo}/resolve/${commit}/${path}`, {
    headers: {
      'Accept-Encoding': 'identity',
      ...(have > 0 && { Range: `bytes=${have}-` }),
      ...(token !== null && { Authorization: `Bearer ${token}` }),
    },
  });
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '');
  const length = response.headers.get('Content-Length');
  const plain = !response.headers.has('Content-Encoding');
  const announced = range
    ? Number(range[2])
    : response.status === 200 && plain && length
      ? Number(length)
      : file.size;
  if (
    response.status === 416 ||
    announced !== file.size ||
    (response.status === 206 && Number(range?.[1] ?? have) !== have)
  ) {
    await response.body?.cancel();
    throw wrongSize(access, file);
  }
  return response;
}

/** The body piece by piece; a piece must come within the patience. */
async function* chunksOf(access: HubAccess, response: Response): AsyncGenerator<Uint8Array, void, void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const next = await withinPatience(access, reader.read());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function withinPatience<T>(access: HubAccess, read: Promise<T>): Promise<T> {
  try {
    return await within(access.settings.patience.silence, read);
  } catch (error) {
    throw connectionError(access, error);
  }
}

function wrongSize({ model, settings }: HubAccess, file: RemoteFile): WrongSize {
  return new WrongSize(
    `${settings.endpoint} sent ${file.path} of ${model.repo} with another size than it announced (${file.size} bytes); try again later`,
  );
}

/** Opens without truncating, made when missing, for writing at any place. */
async function openForWriting(path: string): Promise<FileHandle> {
  try {
    await (await open(path, 'a')).close();
    return await open(path, 'r+');
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
}

async function writeAt(handle: FileHandle, chunk: Uint8Array, position: number, path: string): Promise<void> {
  try {
    await handle.write(chunk, 0, chunk.length, position);
  } catch (error) {
    throw fileError(error, `write ${path}`);
  }
}

/** The hash that the hub would give the file: SHA-256, or SHA-1 of git's blob object. */
async function digest(path: string, { etag, size }: RemoteFile): Promise<string> {
  const hash = createHash(etag.length === 64 ? 'sha256' : 'sha1');
  if (etag.length !== 64) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A pause that the signal ends with its reason. */
async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal ? { signal } : {}).catch((error) => {
    throw signal?.reason ?? error;
  });
}
