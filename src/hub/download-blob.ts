/** @file One file of the hub into the cache: resumed where it broke off, and checked before it counts as there. */
import { renameSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Response } from 'undici';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { regularSize } from '../core/regular-file.js';
import { makeFolder } from '../runs/files.js';
import { bodyOf, connectionError, type HubAccess, HubUnreachable, hubFetch } from './access.js';
import type { RemoteFile } from './answers.js';
import { blobDigest } from './digest.js';
import { claimPartial, pause, releasePartial } from './partial.js';

/** What was written may be of another file: the next attempt starts anew. */
class WrongSize extends UserError {}

/**
 * Downloads a file to `blob`. What is there when the download stops is kept and continued by the next one, or by
 * another process that waits for the same blob.
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
  for (;;) {
    makeFolder(dirname(blob));
    const mine = yield* claimPartial(blob, file.size, access.signal);
    if (mine === null) return;
    try {
      yield* fetchWhole(access, commit, file, mine);
      renameSync(mine, blob);
      return;
    } catch (error) {
      // Another process took it over, thinking that this one had died.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, `write ${blob}`);
    } finally {
      releasePartial(blob, mine);
    }
  }
}

/** Fetches what is not there yet, in as many attempts as bring something, and checks the whole. */
async function* fetchWhole(
  access: HubAccess,
  commit: string,
  file: RemoteFile,
  incomplete: string,
): AsyncGenerator<number, void, void> {
  const { patience } = access.settings;
  const sizeOf = () => regularSize(incomplete) ?? 0;
  let fruitless = 0;
  let damaged = false;
  for (;;) {
    const before = sizeOf();
    try {
      yield* appendRest(access, commit, file, incomplete);
    } catch (error) {
      if (error instanceof WrongSize) rmSync(incomplete, { force: true });
      if (!(error instanceof HubUnreachable)) throw error;
      fruitless = sizeOf() > before ? 0 : fruitless + 1;
      if (fruitless >= patience.attempts) {
        const why = `the download of ${file.path} broke off ${fruitless} times in a row`;
        throw new HubUnreachable(`${why}: ${error.message}; the same command resumes where it stopped`, {
          cause: error,
        });
      }
      await pause(patience.delay * 2 ** fruitless, access.signal);
      continue;
    }
    if ((await blobDigest(incomplete, file.etag, access.signal)) === file.etag) return;
    rmSync(incomplete, { force: true });
    if (damaged) {
      throw new UserError(
        `${file.path} of ${access.model.repo} arrived damaged twice (its hash is not the announced one); try again later`,
      );
    }
    damaged = true;
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
    for await (const chunk of bodyOf(access, response)) {
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
  const { endpoint } = access.settings;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  // The library's own download loses the status of errors, does not notice a server that ignores ranges, and
  // cannot resume.
  const response = await hubFetch(access, `${endpoint}/${access.model.repo}/resolve/${commit}/${path}`, {
    'Accept-Encoding': 'identity',
    ...(have > 0 && { Range: `bytes=${have}-` }),
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

function wrongSize({ model, settings }: HubAccess, file: RemoteFile): WrongSize {
  return new WrongSize(
    `${settings.endpoint} sent ${file.path} of ${model.repo} with another size than it announced (${file.size} bytes); try again later`,
  );
}

/** Opens without truncating, made when missing, for writing at any place. */
async function openForWriting(path: string): Promise<FileHandle> {
  try {
    await (await open(path, 'a')).close();
    const handle = await open(path, 'r+');
    // Shows waiting processes that this one is alive.
    await handle.utimes(new Date(), new Date());
    return handle;
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
