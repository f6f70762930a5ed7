/** @file Where the Hugging Face hub and its cache are, by the variables that every Hugging Face tool reads. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { getHFHubCachePath } from '@huggingface/hub';
import { UserError } from '../core/errors.js';

export interface HubSettings {
  /** Without a slash at the end. */
  endpoint: string;
  /** The cache folder that Python's `huggingface_hub` shares. */
  cache: string;
  /** Never ask the network. */
  offline: boolean;
  token: string | null;
  /** How stubborn a download is; times in milliseconds. */
  patience: Patience;
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
 * library `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`.
 *
 * @throws UserError when the token or the endpoint cannot be one
 */
export function hubSettings(): HubSettings {
  const { env } = process;
  const endpoint = (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  if (!URL.canParse(endpoint)) {
    throw new UserError(
      `HF_ENDPOINT is "${endpoint}", which is no address; give one like https://huggingface.co`,
    );
  }
  return {
    endpoint,
    cache: getHFHubCachePath(),
    offline: /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    token: readToken(env),
    patience,
  };
}

function readToken(env: NodeJS.ProcessEnv): string | null {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  const token = (env.HF_TOKEN || readIfThere(env.HF_TOKEN_PATH || join(home, 'token'))).trim();
  if (token === '') return null;
  // The library throws on any other beginning, without saying where the token came from.
  if (!token.startsWith('hf_')) {
    throw new UserError(
      'the Hugging Face token (HF_TOKEN, or the file of "hf auth login") must start with "hf_"',
    );
  }
  return token;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
