/** @file Asking the hub: one place that knows who gets the token, how the hub refuses, and what that means to the user. */
// Exactly this version: from 7.26 on, a server that closes its connection while we write to the disk ends the program
// (nodejs/undici#5360), and 8 wants a newer Node.
import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici';
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
  /** Makes the connections; the caller destroys it when all is asked. */
  dispatcher: Dispatcher;
}

/**
 * Connections by the proxies of the settings.
 *
 * @throws UserError when a proxy's address cannot be one; it is not quoted, as it may hold a password
 */
export function openDispatcher({ proxies }: HubSettings): Dispatcher {
  try {
    return new EnvHttpProxyAgent({
      httpProxy: proxies.http,
      httpsProxy: proxies.https,
      noProxy: proxies.none,
      // Plain requests through a proxy need no tunnel, which many proxies allow for https alone.
      proxyTunnel: false,
    });
  } catch (error) {
    throw new UserError(
      'HTTPS_PROXY or HTTP_PROXY is no address of a proxy; give one like http://proxy.example:3128',
      { cause: error },
    );
  }
}

/**
 * Asks for an address. The answer's head must come within the patience; `bodyOf` reads the rest. The token goes to
 * the origin of the endpoint alone: not to others that the hub names, nor (as `fetch` sees to) where it redirects.
 *
 * @throws HubUnreachable without network, on silence, and when the hub is busy
 * @throws UserError when it refuses: no such model or revision, gated, wrong token
 */
export async function hubFetch(
  access: HubAccess,
  url: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const { settings, signal, dispatcher } = access;
  const { token } = settings;
  const isOwn = URL.canParse(url) && new URL(url).origin === new URL(settings.endpoint).origin;
  const tooLong = new AbortController();
  const timer = setTimeout(() => tooLong.abort(noAnswer()), settings.patience.silence);
  try {
    const response = await fetch(url, {
      headers: { ...headers, ...(token !== null && isOwn && { Authorization: `Bearer ${token}` }) },
      signal: signal ? AbortSignal.any([signal, tooLong.signal]) : tooLong.signal,
      dispatcher,
    });
    // Status 416 says that the file is shorter than the listing said: the download deals with it.
    if (response.ok || response.status === 416) return response;
    response.body?.cancel().catch(() => undefined);
    throw refusal(access, response);
  } catch (error) {
    throw connectionError(access, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The body piece by piece; a piece must come within the patience. */
export async function* bodyOf(access: HubAccess, response: Response): AsyncGenerator<Uint8Array, void, void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const next = await settledWithin(access.settings.patience.silence, reader.read());
      if (next.done) return;
      yield next.value as Uint8Array;
    }
  } catch (error) {
    throw connectionError(access, error);
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

const noAnswer = () => new Error('no answer');

/** A promise that must settle within so many milliseconds. */
export async function settledWithin<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer()), milliseconds);
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
  const { code, message } = cause as NodeJS.ErrnoException;
  const proxies = settings.proxies.http || settings.proxies.https ? ' and HTTPS_PROXY' : '';
  return new HubUnreachable(
    `could not reach ${settings.endpoint} (${code ?? message}): check the network${proxies}, or name a model that is embedded or cached (superstim models)`,
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
  if (code === 'EntryNotFound') {
    return new UserError(
      `${repo} has no such folder or file; see ${where}/${repo}/tree/${revision} for those it has`,
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
