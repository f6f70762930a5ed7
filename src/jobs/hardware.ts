/** @file What the devices of this machine are called, and their memory. */
import { cpus, totalmem } from 'node:os';
import type { Device } from '../engine/engine-names.js';

/** A processor or GPU. */
export interface Hardware {
  readonly name: string;
  /** Bytes; null where the driver does not say, or it shares the processor's. */
  readonly memory: number | null;
}

/** What `--device` can compute on here, as far as the operating system says; GPUs without a driver are among them. */
export async function hardwareOf(device: Device): Promise<Hardware[]> {
  if (device === 'cpu') return [{ name: cpus()[0]?.model.trim() || 'processor', memory: totalmem() }];
  const { graphics } = await import('systeminformation');
  const { controllers } = await graphics();
  const gpus = controllers.filter(({ vendor }) => device !== 'cuda' || /nvidia/i.test(vendor));
  return gpus.map(({ name, model, memoryTotal, vram }) => {
    const mebibytes = memoryTotal ?? vram;
    return { name: name || model, memory: mebibytes ? mebibytes * 2 ** 20 : null };
  });
}
