/** @file Connections to a queue's Redis. */
import { Redis } from 'ioredis';
import { UserError } from '../../core/errors.js';
import { PASSWORD_VARIABLE, type QueueAddress } from './address.js';

const CONNECT_MILLISECONDS = 10_000;
const LONGEST_PAUSE = 2000;

/** Options of a connection that waits for a Redis that is away, however long that takes. */
export const patient = ({ redis }: QueueAddress) => ({
  ...redis,
  connectTimeout: CONNECT_MILLISECONDS,
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(times * 100, LONGEST_PAUSE),
});

/** The prefix of BullMQ's keys. */
export const PREFIX = 'superstim';

/**
 * Connects once, to find out whether that works.
 *
 * @throws UserError that says why it does not
 */
export async function checkRedis(address: QueueAddress): Promise<void> {
  const redis = new Redis({
    ...address.redis,
    lazyConnect: true,
    connectTimeout: CONNECT_MILLISECONDS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  const heard: Error[] = [];
  redis.on('error', (error: Error) => heard.push(error));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw new UserError(connectionTrouble(address, heard[0] ?? error), { cause: error });
  } finally {
    redis.disconnect();
  }
}

function connectionTrouble({ shown }: QueueAddress, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (/NOAUTH|WRONGPASS|invalid password|AUTH /i.test(message))
    return `the Redis at ${shown} refuses the password: give the right one in its address, or in the variable ${PASSWORD_VARIABLE}`;
  if (/certificate|self.signed|SSL|TLS|altname/i.test(`${code} ${message}`))
    return `no secure connection to ${shown} (${code ?? 'TLS'}): give the certificate of its authority with --tls-ca, and an own one with --tls-cert and --tls-key where it wants one`;
  return `no Redis answers at ${shown} (${code ?? 'connection closed'}): check the address, and that it runs`;
}
