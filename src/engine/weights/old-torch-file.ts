/**
 * @file PyTorch's `.pt` before version 1.6, as many published weights are: five pickles (a magic number, the version, what
 * machine wrote it, what was saved, the keys of its storages) and then the storages, each behind the number of its elements
 * (`_legacy_save` of torch/serialization.py). Nothing is executed (see `pickle.ts`).
 */
import { UserError } from '../../core/errors.js';
import { fileSize, readRange, truncated, withFile } from './byte-ranges.js';
import { readPickles } from './pickle.js';
import {
  callables,
  flattened,
  MAX_PICKLE,
  storage,
  type TensorBytes,
  type TorchFile,
} from './torch-tensors.js';

/** The first pickle: protocol 2, the number 0x1950a86a20f9469cfc6c, and its end. */
const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const VERSION = 1001;

export const isOldTorchFile = (path: string): boolean =>
  fileSize(path) >= MAGIC.length && MAGIC.equals(Buffer.from(readRange(path, 0, MAGIC.length)));

/** Opens a file. Throws UserError when it is cut short or damaged, or would execute anything. */
export function openOldTorchFile(path: string): TorchFile {
  const size = fileSize(path);
  const storages = new Storages(path, size);
  const head = new Uint8Array(readRange(path, MAGIC.length, Math.min(size - MAGIC.length, MAX_PICKLE)));
  const { values, end } = readPickles(head, 4, {
    path,
    callables: callables(path),
    persistent: (id) => storage(id, path, (key, width, elements) => storages.promised(key, width, elements)),
  });
  const [version, machine, saved, keys] = values;
  if (version !== VERSION || !(machine instanceof Map) || machine.get('little_endian') !== true)
    throw new UserError(
      `${path} is of a version of PyTorch's files that is not read, or was written with the most significant byte first`,
    );
  if (!Array.isArray(keys)) throw damaged(path);
  storages.place(keys, MAGIC.length + end);
  return flattened(saved, path);
}

const damaged = (path: string) =>
  new UserError(`${path} is damaged: its list of storages makes no sense; download it again`);

/** Storages that tensors name, and where each lies, which the file says behind the tensors. */
class Storages {
  private readonly known = new Map<string, { readonly width: number; readonly elements: number }>();
  private readonly starts = new Map<string, number>();

  constructor(
    private readonly path: string,
    private readonly size: number,
  ) {}

  promised(key: string, width: number, elements: unknown): TensorBytes | undefined {
    if (!Number.isSafeInteger(elements) || (elements as number) < 0) return undefined;
    this.known.set(key, { width, elements: elements as number });
    const load = (from: number, count: number) => readRange(this.path, this.starts.get(key)! + from, count);
    return { size: (elements as number) * width, load };
  }

  /** @param start - of the first */
  place(keys: readonly unknown[], start: number): void {
    withFile(this.path, (_size, read) => {
      let at = start;
      for (const key of keys) {
        const { width, elements } = this.known.get(key as string) ?? {};
        if (width === undefined || elements === undefined || this.starts.has(key as string))
          throw damaged(this.path);
        if (new DataView(read(at, 8)).getBigInt64(0, true) !== BigInt(elements)) throw damaged(this.path);
        this.starts.set(key as string, at + 8);
        at += 8 + width * elements;
        if (at > this.size) throw truncated(this.path, this.size, at);
      }
    });
    if (this.starts.size !== this.known.size) throw damaged(this.path);
  }
}
