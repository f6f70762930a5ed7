import { Command } from 'commander';
import { expect, it } from 'vitest';
import { UsageError } from '../core/errors.js';
import { addQueueOptions, namedQueue, type QueueOptions } from './queue-options.js';

const optionsOf = (...given: string[]) =>
  addQueueOptions(new Command()).parse(given, { from: 'user' }).opts<QueueOptions>();

it('a queue is named by its address, and no complaint repeats a password', async () => {
  const named = await namedQueue(optionsOf('--queue', 'redis://me:secret@host:6379', '--name', 'mine'));
  expect(named).toMatchObject({ name: 'mine' });
  await expect(namedQueue(optionsOf())).rejects.toThrow(/^name a queue with --queue/);
  const wrong = namedQueue(optionsOf('--queue', 'http://me:secret@host'));
  await expect(wrong).rejects.toThrow(UsageError);
  await expect(wrong).rejects.not.toThrow(/secret/);
});
