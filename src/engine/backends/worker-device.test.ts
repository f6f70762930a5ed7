import * as ort from 'onnxruntime-node';
import { afterEach, expect, it, vi } from 'vitest';
import { workerDevices } from './worker-device.js';

afterEach(() => vi.restoreAllMocks());

it.each([true, false])('threads spin for a moment where it is asked: %s', async (spins) => {
  const session = { release: async () => undefined } as ort.InferenceSession;
  const create = vi.spyOn(ort.InferenceSession, 'create').mockResolvedValue(session);
  await workerDevices.cpu.open(new Uint8Array(), { threads: 1, arena: false, spins, widensHalves: false });
  const intra_op = { allow_spinning: spins ? '1' : '0', spin_duration_us: '20' };
  expect(create.mock.calls[0]![1]).toMatchObject({ extra: { session: { intra_op } } });
});

it.each([
  [true, 'disabled'],
  [false, 'all'],
])(
  'a graph is opened without passes over its nodes where it widens weights: %s',
  async (widensHalves, level) => {
    const session = { release: async () => undefined } as ort.InferenceSession;
    const create = vi.spyOn(ort.InferenceSession, 'create').mockResolvedValue(session);
    await workerDevices.cpu.open(new Uint8Array(), { threads: 1, arena: false, spins: false, widensHalves });
    expect(create.mock.calls[0]![1]).toMatchObject({
      graphOptimizationLevel: level,
      extra: { optimization: { disable_specified_optimizers: 'Pad_Fusion' } },
    });
  },
);
