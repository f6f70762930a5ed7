/** @file A model of the Hugging Face hub into the cache that Python shares. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles, modelInfo } from '@huggingface/hub';
import { UserError } from '../core/errors.js';
import { type EventBody, eventClock, type Run, type RunEvent } from '../runs/events.js';
import { type HubAccess, type HubModel, HubUnreachable, metadataFetch } from './access.js';
import { CachedRepo, type Snapshot } from './cache.js';
import { downloadBlob, type RemoteFile } from './download-blob.js';
import { indexFile, wantedSmallFiles, wantedWeights } from './model-files.js';
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
 * Gets the files a model needs: config, tokenizer, safetensors; nothing that is in the cache is fetched again.
 * Without network, or with `HF_HUB_OFFLINE`, the cache must do; a commit that is complete there is not asked for.
 *
 * @yields `progress` in bytes; `warning` when the hub could not be asked
 * @returns the folder of the snapshot
 * @throws UserError when there is no such model, it is gated, has no safetensors, or cannot be had
 */
export async function* downloadModel(model: HubModel, options: DownloadOptions = {}): Run<string> {
  const { signal, settings = hubSettings(), event = eventClock() } = options;
  const access: HubAccess = { model, settings, signal };
  const cached = new CachedRepo(settings.cache, model.repo);
  const complete = cached.complete(model.revision);
  const pinned = complete?.commit === model.revision && complete.tokenizer;
  if (complete !== null && (settings.offline || pinned)) return complete.folder;
  if (settings.offline) {
    throw new UserError(
      `${nameOf(model)} is not in the cache (${settings.cache}) and HF_HUB_OFFLINE is set; unset it to download the model`,
    );
  }
  let commit: string;
  try {
    commit = await askCommit(access);
  } catch (error) {
    if (!(error instanceof HubUnreachable) || complete === null) throw error;
    const message = `could not ask ${settings.endpoint} for news of ${nameOf(model)}; using commit ${complete.commit.slice(0, 7)} of the cache`;
    yield event({ kind: 'warning', message });
    return complete.folder;
  }
  const snapshot = cached.snapshot(commit);
  if (snapshot.missing.length > 0 || !snapshot.tokenizer)
    yield* fillSnapshot(access, cached, snapshot, event);
  cached.setCommit(model.revision, commit);
  return snapshot.folder;
}

function nameOf({ repo, revision }: HubModel): string {
  return revision === 'main' ? repo : `${repo}@${revision}`;
}

/** What every call of the library takes. */
function libraryOptions({ settings, ...access }: HubAccess) {
  const fetch = metadataFetch({ settings, ...access });
  return {
    hubUrl: settings.endpoint,
    fetch,
    ...(settings.token !== null && { accessToken: settings.token }),
  };
}

/** The commit that the revision stands for at this moment. */
async function askCommit(access: HubAccess): Promise<string> {
  const { repo: name, revision } = access.model;
  const { sha } = await modelInfo({ name, revision, additionalFields: ['sha'], ...libraryOptions(access) });
  if (/^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new UserError(`${access.settings.endpoint} gave no commit for ${name}; check HF_ENDPOINT`);
}

async function listRemote(access: HubAccess, commit: string): Promise<Map<string, RemoteFile>> {
  const files = new Map<string, RemoteFile>();
  for await (const entry of listFiles({
    repo: access.model.repo,
    revision: commit,
    ...libraryOptions(access),
  })) {
    const etag = entry.lfs?.oid ?? entry.oid ?? '';
    // The digest becomes a file name, and says which hash to check.
    const sound =
      /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag) && Number.isSafeInteger(entry.size) && entry.size >= 0;
    if (entry.type === 'file' && sound) files.set(entry.path, { path: entry.path, size: entry.size, etag });
  }
  return files;
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
  const fetched = yield* fetchFiles(access, cached, commit, filesOf(wantedSmallFiles(available)), 0, event);
  const readIndex = () => readFileSync(join(folder, indexFile), 'utf8');
  const weights = wantedWeights(access.model.repo, available, readIndex);
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
  const absent = files.filter(({ etag, size }) => !isWhole(cached.blobPath(etag), size));
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

function isWhole(blob: string, size: number): boolean {
  return statSync(blob, { throwIfNoEntry: false })?.size === size;
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
