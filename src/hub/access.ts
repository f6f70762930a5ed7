/** @file Asking the hub: one place that knows how it refuses, and what a refusal means to the user. */
import { UserError } from '../core/errors.js';
import type { HubSettings } from './settings.js';

/** The hub cannot be reached at the moment: worth another attempt, or the cache. */
export class HubUnreachable extends UserError {
  override name = 'HubUnreachable';
}

/** A model on the hub. */
export interface HubModel {
  /** `org/name`. */
  repo: string;
  /** Branch, tag or commit. */
  revision: string;
}

/** A model, where to ask for it, and what stops the asking. */
export interface HubAccess {
  model: HubModel;
  settings: HubSettings;
  signal: AbortSignal | undefined;
}

/**
 * `fetch` with the hub's refusals as errors; the library uses it too. The answer's head must come within the
 * patience; reading its body is the caller's concern.
 *
 * @throws HubUnreachable without network, on silence, and when the hub is busy
 * @throws UserError when it refuses: no such model or revision, gated, wrong token
 */
export async function hubFetch(
  access: HubAccess,
  url: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const { settings, signal } = access;
  const tooLong = new AbortController();
  const timer = setTimeout(() => tooLong.abort(), settings.patience.silence);
  try {
    const stop = signal ? AbortSignal.any([signal, tooLong.signal]) : tooLong.signal;
    const response = await fetch(url, { ...init, signal: stop });
    // Status 416 says that the file is shorter than the listing said: the download deals with it.
    if (!response.ok && response.status !== 416) throw refusal(access, response);
    return response;
  } catch (error) {
    throw connectionError(access, error);
  } finally {
    clearTimeout(timer);
  }
}

/** `hubFetch` for short answers: the body is read too, so that a break in it is one of our errors. */
export function metadataFetch(access: HubAccess): typeof fetch {
  return async (url, init) => {
    const response = await hubFetch(access, url, init);
    try {
      const body = await within(access.settings.patience.silence, response.arrayBuffer());
      return new Response(body, { status: response.status, headers: response.headers });
    } catch (error) {
      throw connectionError(access, error);
    }
  };
}

/** A promise that must settle within so many milliseconds. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), milliseconds);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a failed fetch or transfer means; our own errors and an abort come back as they are. */
export function connectionError({ settings, signal }: HubAccess, error: unknown): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof UserError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why =
    (cause as NodeJS.ErrnoException).code ?? (cause instanceof Error ? cause.message : String(cause));
  return new HubUnreachable(
    `could not reach ${settings.endpoint} (${why}): check the network, or name a model that is embedded or cached (superstim models)`,
    { cause: error },
  );
}

function refusal({ model: { repo, revision }, settings }: HubAccess, response: Response): UserError {
  const { status } = response;
  const code = response.headers.get('X-Error-Code');
  const where = settings.endpoint;
  if (status === 429 || status >= 500) {
    return new HubUnreachable(`${where} is busy (status ${status}); try again in a while`);
  }
  if (code === 'GatedRepo') {
    const token =
      settings.token === null ? 'set HF_TOKEN to a token of your account' : 'check that HF_TOKEN may read it';
    return new UserError(`${repo} is gated: accept its conditions at ${where}/${repo}, then ${token}`);
  }
  if (code === 'RevisionNotFound') {
    return new UserError(
      `${repo} has no revision "${revision}"; see ${where}/${repo}/tree/main for those it has`,
    );
  }
  if (status === 401 && code === null && settings.token !== null) {
    return new UserError(
      `${where} does not accept the token in HF_TOKEN; make a new one at ${where}/settings/tokens`,
    );
  }
  // The hub answers 401, not 404, for what does not exist when asked without a token.
  if (status === 401 || status === 404) {
    const hidden =
      settings.token === null ? 'or it is private and HF_TOKEN is not set' : 'or HF_TOKEN may not see it';
    return new UserError(
      `there is no folder ${repo} here and no such model on ${where}, ${hidden}; check the spelling`,
    );
  }
  return new UserError(`${where} refused ${repo} (status ${status}); check that your account may read it`);
}
