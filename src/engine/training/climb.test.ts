import { expect, it } from 'vitest';
import { Climb } from './climb.js';
import { adamW } from './optimizer.js';

it.each(['onnx', 'cpu'] as const)('climbs a hill by its gradients on %s', async (engine) => {
  const top = [3, -1];
  const climb = await Climb.create(Float32Array.of(0, 0), [2], adamW({ beta2: 0.999 }), engine);
  const first = async () => (await climb.parameter.read()) as Float32Array;
  for (let i = 0; i < 200; i++) {
    const at = await first();
    await climb.step(
      top.map((x, axis) => x - at[axis]!),
      0.1,
    );
    // Adam's first step is of the size of the rate, whatever the gradient's.
    if (i === 0) expect([...(await first())].map((x) => x.toFixed(4))).toEqual(['0.1000', '-0.1000']);
  }
  for (const [axis, x] of (await first()).entries()) expect(x).toBeCloseTo(top[axis]!, 1);
  climb.dispose();
});
