/** @file The options of commands that work with a queue. */
import type { Command } from 'commander';
import { UsageError } from '../core/errors.js';
import type { QueueAddress } from '../sweep/queue/address.js';

export interface QueueOptions {
  queue?: string;
  name: string;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
}

/** Adds `--queue` and what belongs to it. None is checked by commander, whose complaints repeat the value. */
export function addQueueOptions(command: Command): Command {
  return command
    .optionsGroup('Queue:')
    .option(
      '--queue <address>',
      'a queue on Redis: redis://user:password@host:6379, rediss:// for TLS; the password also from SUPERSTIM_QUEUE_PASSWORD',
    )
    .option('--name <name>', 'its name in that Redis', 'sweep')
    .option('--tls-ca <file>', 'PEM file of the authority that signed the certificate of Redis')
    .option('--tls-cert <file>', 'PEM file of an own certificate')
    .option('--tls-key <file>', 'PEM file of its key')
    .optionsGroup('Options:');
}

/** The queue that is named. Throws UsageError when none is, or its address is none. */
export async function namedQueue({ queue, ...flags }: QueueOptions): Promise<QueueAddress> {
  if (queue === undefined) throw new UsageError('name a queue with --queue redis://host:6379');
  const { queueAddress } = await import('../sweep/queue/address.js');
  return queueAddress({ queue, ...flags });
}
