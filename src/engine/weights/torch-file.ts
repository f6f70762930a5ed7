/**
 * @file PyTorch's `.pt`: since version 1.6 a zip archive with a pickle of what was saved and the bytes of its tensors, before
 * that a file of its own (`old-torch-file.ts`). Nothing is executed (see `pickle.ts`).
 */
import { UserError } from '../../core/errors.js';
import { readRange } from './byte-ranges.js';
import { isOldTorchFile, openOldTorchFile } from './old-torch-file.js';
import { readPickle } from './pickle.js';
import { callables, flattened, MAX_PICKLE, storage, type TorchFile } from './torch-tensors.js';
import { openZip } from './zip.js';

export type { PlainValue, TorchFile } from './torch-tensors.js';

/**
 * Opens a file: reads its pickle, no tensor.
 *
 * @throws UserError when the file is missing, cut short or damaged, or would execute anything
 */
export function openTorchFile(path: string): TorchFile {
  if (new Uint8Array(readRange(path, 0, 1))[0] === 0x80) {
    if (isOldTorchFile(path)) return openOldTorchFile(path);
    throw new UserError(
      `${path} is a pickle, but not one of PyTorch, which is not read; save it as safetensors`,
    );
  }
  const members = openZip(path);
  const name = [...members.keys()].find((name) => /^(?:[^/]+\/)?data\.pkl$/.test(name));
  if (name === undefined)
    throw new UserError(`${path} is a zip archive without data.pkl, not a file of PyTorch; check the path`);
  const folder = name.slice(0, -'data.pkl'.length);
  const order = members.get(`${folder}byteorder`);
  if (order && order.size < 100 && new TextDecoder().decode(order.load(0, order.size)) !== 'little')
    throw new UserError(`${path} was written with the most significant byte first, which is not read`);
  const { size, load } = members.get(name)!;
  if (size > MAX_PICKLE)
    throw new UserError(`${path} has a pickle of ${size} bytes, which is no list of tensors`);
  const saved = readPickle(new Uint8Array(load(0, size)), {
    path,
    callables: callables(path),
    persistent: (id) => storage(id, path, (key) => members.get(`${folder}data/${key}`)),
  });
  return flattened(saved, path);
}
