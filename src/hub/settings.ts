/** @file Where the Hugging Face hub and its cache are, by the variables that every Hugging Face tool reads. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import { hubLibrary } from './hub-library.js';

export interface HubSettings {
  /** Without a slash at the end. */
  endpoint: string;
  /** The cache folder that Python's `huggingface_hub` shares. */
  cache: string;
  /** Never ask the network. */
  offline: boolean;
  token: string | null;
  proxies: Proxies;
  /** How stubborn a download is; times in milliseconds. */
  patience: Patience;
}

/** Addresses of proxies; empty for none. */
export interface Proxies {
  http: string;
  /** Empty: that of `http`. */
  https: string;
  /** Hosts to ask without one, as `NO_PROXY` lists them. */
  none: string;
}

export interface Patience {
  /** Attempts in a row that bring no byte before giving up. */
  attempts: number;
  /** Before the second attempt; doubled for each further one. */
  delay: number;
  /** Silence after which an answer or a transfer counts as broken off. */
  silence: number;
}

const patience: Patience = { attempts: 5, delay: 500, silence: 20_000 };

/**
 * Reads `HF_ENDPOINT`, `HF_HUB_OFFLINE`, `HF_TOKEN` (else the file that `hf auth login` wrote), and by way of the
 * library `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`; `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` (also in small letters).
 *
 * @throws UserError when the token or the endpoint cannot be one
 */
export function hubSettings(): HubSettings {
  const { env } = process;
  const endpoint = readEndpoint(env.HF_ENDPOINT || 'https://huggingface.co');
  return {
    endpoint,
    cache: hubLibrary().getHFHubCachePath(),
    offline: /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    token: readToken(env),
    proxies: {
      http: env.http_proxy ?? env.HTTP_PROXY ?? '',
      https: env.https_proxy ?? env.HTTPS_PROXY ?? '',
      none: env.no_proxy ?? env.NO_PROXY ?? '',
    },
    patience,
  };
}

function readEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  // Not quoted: it may hold a password.
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username ||
    url.password ||
    url.search ||
    url.hash
  ) {
    throw new UserError('HF_ENDPOINT is no plain address; give one like https://huggingface.co');
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function readToken(env: NodeJS.ProcessEnv): string | null {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  const token = (env.HF_TOKEN || readIfThere(env.HF_TOKEN_PATH || join(home, 'token'))).trim();
  if (token === '') return null;
  // A header takes no other characters, and its error would quote them.
  if (!/^hf_[!-~]{1,4000}$/.test(token)) {
    throw new UserError(
      'the Hugging Face token (HF_TOKEN, or the file of "hf auth login") must start with "hf_" and hold no spaces or odd characters; copy it again',
    );
  }
  return token;
}

function readIfThere(file: string): string {
  try {
    return readRegularFile(file, 10_000).toString();
  } catch {
    return '';
  }
}
