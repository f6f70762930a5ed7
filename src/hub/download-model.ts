/** @file A model of the Hugging Face hub into the cache that Python shares. */
import { UserError } from '../core/errors.js';
import { regularSize } from '../core/regular-file.js';
import { type EventBody, eventClock, type Run, type RunEvent } from '../runs/events.js';
import { type HubAccess, type HubModel, HubUnreachable, openDispatcher } from './access.js';
import { askCommit, listRemote, type RemoteFile } from './answers.js';
import { CachedRepo, type Snapshot } from './cache.js';
import { damagedFiles } from './damage.js';
import { downloadBlob } from './download-blob.js';
import { presentFiles, smallFileLimit, wantedSmallFiles, wantedWeights } from './model-files.js';
import { type HubSettings, hubSettings } from './settings.js';

export interface DownloadOptions {
  /** Stops between two pieces; what is there is kept and continued the next time. */
  signal?: AbortSignal;
  settings?: HubSettings;
  /** The clock of the run this is part of. */
  event?: (body: EventBody) => RunEvent;
}

/** Milliseconds between two progress events. */
const reportEvery = 100;

/**
 * Gets the files a model needs: config, tokenizer, safetensors; nothing that is in the cache is fetched again, unless
 * it was damaged there. Without network, or with `HF_HUB_OFFLINE`, the cache must do; a commit that is complete there
 * is not asked for.
 *
 * @yields `progress` in bytes; `warning` when the hub could not be asked, or what was in the cache is damaged
 * @returns the folder of the snapshot
 * @throws UserError when there is no such model, it is gated, has no safetensors, or cannot be had
 */
export async function* downloadModel(model: HubModel, options: DownloadOptions = {}): Run<string> {
  const { signal, settings = hubSettings(), event = eventClock() } = options;
  const cached = new CachedRepo(settings.cache, model.repo);
  const complete = cached.complete(model.revision);
  const damaged = complete ? await damagedFiles(complete.folder, presentFiles(complete.folder), signal) : [];
  const usable = damaged.length === 0 ? complete : null;
  if (usable !== null && (settings.offline || (usable.commit === model.revision && usable.tokenizer)))
    return usable.folder;
  if (settings.offline) {
    const what = damaged.length > 0 ? `damaged in the cache: ${damaged.join(', ')}` : 'not in the cache';
    throw new UserError(
      `${nameOf(model)} is ${what} (${settings.cache}) and HF_HUB_OFFLINE is set; unset it to download the model`,
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
      const message = `could not ask ${settings.endpoint} for news of ${nameOf(model)}; using commit ${usable!.commit.slice(0, 7)} of the cache`;
      yield event({ kind: 'warning', message });
      return usable!.folder;
    }
    const snapshot = cached.snapshot(commit);
    if (damaged.length > 0) {
      yield event({ kind: 'warning', message: `damaged in the cache, fetched again: ${damaged.join(', ')}` });
      for (const name of damaged) cached.dropBlob(complete!.commit, name);
    }
    if (snapshot.missing.length > 0 || !snapshot.tokenizer || damaged.length > 0)
      yield* fillSnapshot(access, cached, snapshot, event);
    cached.setCommit(model.revision, commit);
    return snapshot.folder;
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
  { commit, folder }: Snapshot,
  event: (body: EventBody) => RunEvent,
): Run {
  const remote = await listRemote(access, commit);
  const available = [...remote.keys()];
  const filesOf = (names: string[]) => names.map((name) => remote.get(name)!);
  const small = filesOf(wantedSmallFiles(available));
  const huge = small.find(({ size }) => size > smallFileLimit);
  if (huge !== undefined) {
    throw new UserError(
      `${huge.path} of ${access.model.repo} has ${huge.size} bytes, more than the ${smallFileLimit} that such a file may have; choose another model`,
    );
  }
  const fetched = yield* fetchFiles(access, cached, commit, small, 0, event);
  const weights = wantedWeights(access.model.repo, available, folder);
  yield* fetchFiles(access, cached, commit, filesOf(weights), fetched, event);
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
  files: RemoteFile[],
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
