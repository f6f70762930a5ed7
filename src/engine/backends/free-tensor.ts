/** @file Memory of arrays is given back when nobody needs them, not when JavaScript next collects garbage. */
import { MessageChannel } from 'node:worker_threads';
import type { Tensor } from 'onnxruntime-node';

/** Bytes from which on it is worth the 30 µs; garbage is collected for smaller ones too. */
const LARGE = 2 ** 18;

// What is sent to a closed port is destroyed at once, with the memory that it was handed.
const { port1: nowhere, port2: closed } = new MessageChannel();
closed.close();
nowhere.unref();

/**
 * Disposes of a tensor whose array nothing else uses. Key-value caches that are replaced in every run would else be there
 * several times: of a large model, 0.1 GB.
 */
export function freeTensor(tensor: Tensor): void {
  const buffer = tensor.location === 'cpu' ? (tensor.data as Float32Array).buffer : undefined;
  tensor.dispose();
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= LARGE) nowhere.postMessage(null, [buffer]);
}
