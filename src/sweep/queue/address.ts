/** @file Where a queue is: the address of a Redis. Its password stays in here: nothing that is printed or written has it. */
import type { ConnectionOptions } from 'node:tls';
import { UsageError } from '../../core/errors.js';
import { readRegularFile } from '../../core/regular-file.js';

/** The variable with the password, for an address without one: other users of a machine see command lines. */
export const PASSWORD_VARIABLE = 'SUPERSTIM_QUEUE_PASSWORD';

export interface QueueFlags {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly queue: string;
  readonly name: string;
  /** PEM files. */
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export interface QueueAddress {
  /** For people: `redis://host:6379/0`. */
  readonly shown: string;
  /** The queue's name in that Redis. */
  readonly name: string;
  readonly redis: {
    readonly host: string;
    readonly port: number;
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    readonly tls?: ConnectionOptions;
  };
}

const PEM_BYTES = 1e6;

/**
 * @param env - may have the password
 * @throws UsageError for what is no address of a Redis, UserError for a file that cannot be read
 */
export function queueAddress(flags: QueueFlags, env: NodeJS.ProcessEnv = process.env): QueueAddress {
  const { queue, name } = flags;
  if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(name))
    throw new UsageError('the name of a queue has letters, digits, ".", "_" and "-", at most 100 of them');
  const url = URL.canParse(queue) ? new URL(queue) : null;
  const secure = url?.protocol === 'rediss:';
  const db = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '-')?.[1];
  if (!url || (!secure && url.protocol !== 'redis:') || url.hostname === '' || db === undefined)
    throw new UsageError(
      'the address of a queue is redis://host:6379, or rediss://host:6379 for TLS; a number after it, as in redis://host/1, is the database',
    );
  const pem = (option: string, path: string | undefined) => {
    if (path === undefined) return {};
    if (!secure) throw new UsageError(`--tls-${option} is for an address with rediss://`);
    return { [option]: readRegularFile(path, PEM_BYTES) };
  };
  const tls = { ...pem('ca', flags.tlsCa), ...pem('cert', flags.tlsCert), ...pem('key', flags.tlsKey) };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || 6379);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password) || env[PASSWORD_VARIABLE] || '';
  return {
    shown: `${url.protocol}//${url.hostname}:${port}/${db || 0}`,
    name,
    redis: {
      host,
      port,
      db: Number(db),
      ...(username !== '' && { username }),
      ...(password !== '' && { password }),
      // The name is sent even where a certificate is not asked for.
      ...(secure && { tls: { servername: host, ...tls } }),
    },
  };
}
