/** @file What the devices of this machine are called, and their memory. */
import { cpus, totalmem } from 'node:os';
import type { Systeminformation } from 'systeminformation';
import { once } from '../core/once.js';
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
  return gpusAmong(await graphicsControllers(), device);
}

const graphicsControllers = once(async () => {
  const { graphics } = await import('systeminformation');
  return (await graphics()).controllers;
});

/** What is said of a graphics controller, its memory in MiB. */
type Controller = Pick<
  Systeminformation.GraphicsControllerData,
  'vendor' | 'model' | 'vram' | 'name' | 'memoryTotal'
>;

/** CUDA has NVIDIA's alone. */
export const gpusAmong = (controllers: readonly Controller[], device: Device): Hardware[] =>
  controllers
    .filter(({ vendor }) => device !== 'cuda' || /nvidia/i.test(vendor))
    .map(({ name, model, memoryTotal, vram }) => {
      const mebibytes = memoryTotal ?? vram;
      return { name: name || model, memory: mebibytes ? mebibytes * 2 ** 20 : null };
    });
