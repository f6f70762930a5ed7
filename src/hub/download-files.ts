/** @file Files of a repository of the Hugging Face hub into the cache that Python shares. */
import { UserError } from '../core/errors.js';
import { regularSize } from '../core/regular-file.js';
import { type EventBody, eventClock, type Run, type RunEvent } from '../runs/events.js';
import { type HubAccess, type HubModel, HubUnreachable, openDispatcher } from './access.js';
import { askCommit, listRemote, type RemoteFile } from './answers.js';
import { CachedRepo } from './cache.js';
import { damagedFiles } from './damage.js';
import { downloadBlob } from './download-blob.js';
import { type HubSettings, hubSettings } from './settings.js';

export interface DownloadOptions {
  /** Stops between two pieces; what is there is kept and continued the next time. */
  signal?: AbortSignal;
  settings?: HubSettings;
  /** The clock of the run this is part of. */
  event?: (body: EventBody) => RunEvent;
}

/** A commit of a repository whose files are being chosen. */
export interface RemoteSnapshot {
  readonly repo: string;
  /** Where the files go. */
  readonly folder: string;
  /**
   * Files by their path in the repository.
   *
   * @param under - a folder of it, with all that is in its folders; without one, the files that are in no folder
   * @throws UserError when there is no such folder
   */
  list(under?: string): Promise<ReadonlyMap<string, RemoteFile>>;
}

/** What is wanted of a repository. */
export interface WantedFiles {
  /** The needed files that a snapshot has; null where one is missing. */
  present(folder: string): readonly string[] | null;
  /** Whether a snapshot that has them may lack others that the repository has. */
  complete(folder: string): boolean;
  /** Lists of files, each after those before have been fetched. Throws UserError for what cannot be had. */
  choose(remote: RemoteSnapshot): AsyncIterable<readonly RemoteFile[]>;
}

/** Milliseconds between two progress events. */
const reportEvery = 100;

/**
 * Gets files of a repository; nothing that is in the cache is fetched again, unless it was damaged there. Without network,
 * or with `HF_HUB_OFFLINE`, the cache must do; a commit that is complete there is not asked for.
 *
 * @yields `progress` in bytes; `warning` when the hub could not be asked, or what was in the cache is damaged
 * @returns the folder of the snapshot
 * @throws UserError when there is no such repository, it is gated, has not the files, or cannot be had
 */
export async function* downloadFiles(
  model: HubModel,
  wanted: WantedFiles,
  options: DownloadOptions = {},
): Run<string> {
  const { signal, settings = hubSettings(), event = eventClock() } = options;
  const cached = new CachedRepo(settings.cache, model.repo);
  const known = cached.commitOf(model.revision);
  const there = known === null ? null : cached.snapshotFolder(known);
  const present = there === null ? null : wanted.present(there);
  const damaged = present === null ? [] : await damagedFiles(there!, present, signal);
  const usable = present !== null && damaged.length === 0 ? there : null;
  if (usable !== null && (settings.offline || (known === model.revision && wanted.complete(usable))))
    return usable;
  if (settings.offline) {
    const what = damaged.length > 0 ? `damaged in the cache: ${damaged.join(', ')}` : 'not in the cache';
    throw new UserError(
      `${nameOf(model)} is ${what} (${settings.cache}) and HF_HUB_OFFLINE is set; unset it to download it`,
    );
  }
  const dispatcher = openDispatcher(settings);
  const access: HubAccess = { model, settings, signal, dispatcher };
  try {
    const commit = await askCommit(access).catch((error: unknown) => {
      if (error instanceof HubUnreachable && usable !== null) return null;
      throw error;
    });
    if (commit === null) {
      const message = `could not ask ${settings.endpoint} for news of ${nameOf(model)}; using commit ${known!.slice(0, 7)} of the cache`;
      yield event({ kind: 'warning', message });
      return usable!;
    }
    const folder = cached.snapshotFolder(commit);
    if (damaged.length > 0) {
      yield event({ kind: 'warning', message: `damaged in the cache, fetched again: ${damaged.join(', ')}` });
      for (const name of damaged) cached.dropBlob(known!, name);
    }
    if (damaged.length > 0 || wanted.present(folder) === null || !wanted.complete(folder))
      yield* fillSnapshot(access, cached, commit, wanted, event);
    cached.setCommit(model.revision, commit);
    return folder;
  } finally {
    await dispatcher.destroy();
  }
}

function nameOf({ repo, revision }: HubModel): string {
  return revision === 'main' ? repo : `${repo}@${revision}`;
}

async function* fillSnapshot(
  access: HubAccess,
  cached: CachedRepo,
  commit: string,
  wanted: WantedFiles,
  event: (body: EventBody) => RunEvent,
): Run {
  const remote: RemoteSnapshot = {
    repo: access.model.repo,
    folder: cached.snapshotFolder(commit),
    list: (under) => listRemote(access, commit, under),
  };
  let fetched = 0;
  for await (const files of wanted.choose(remote))
    fetched = yield* fetchFiles(access, cached, commit, files, fetched, event);
}

/**
 * Fetches files whose blobs are not there, and links all of them into the snapshot.
 *
 * @param before - bytes fetched before these, for the progress
 * @returns bytes fetched with these
 */
async function* fetchFiles(
  access: HubAccess,
  cached: CachedRepo,
  commit: string,
  files: readonly RemoteFile[],
  before: number,
  event: (body: EventBody) => RunEvent,
): Run<number> {
  const absent = files.filter(({ etag, size }) => regularSize(cached.blobPath(etag)) !== size);
  const total = absent.reduce((sum, { size }) => sum + size, before);
  const meter = byteMeter(total, `downloading ${nameOf(access.model)}`);
  let done = before;
  for (const file of absent) {
    for await (const have of downloadBlob(access, commit, file, cached.blobPath(file.etag))) {
      const body = meter(done + have);
      if (body !== null) yield event(body);
    }
    done += file.size;
  }
  for (const { path, etag } of files) cached.link(commit, path, etag);
  return done;
}

/** Makes progress events of byte counts, at most ten a second; bytes that were there before do not count as speed. */
function byteMeter(total: number, note: string): (done: number) => EventBody | null {
  const start = performance.now();
  let first: number | null = null;
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (done) => {
    first ??= done;
    const now = performance.now();
    if (now - reportedAt < reportEvery && done < total) return null;
    reportedAt = now;
    const seconds = (now - start) / 1000;
    const rate = seconds > 0.5 && done > first ? (done - first) / seconds : null;
    const left = rate === null ? null : (total - done) / rate;
    return {
      kind: 'progress',
      source: 'preparation',
      budget: 'bytes',
      done,
      total,
      rate,
      rate_unit: 'bytes',
      seconds_left: left,
      note,
    };
  };
}
