/** Units to compare on, chosen by seed: the same for every method. */
import { Random } from '../../src/core/random.js';
import type { TransformerSpec } from '../../src/text/lm/spec.js';

export function chooseUnits(spec: TransformerSpec, heads: number, neurons: number, seed: number): string[] {
  const random = Random.of(seed, 'units');
  const distinct = (count: number, name: () => string) => {
    const names = new Set<string>();
    for (let tries = 0; names.size < count && tries < 1000 * count; tries++) names.add(name());
    return [...names];
  };
  return [
    ...distinct(heads, () => `L${random.integer(spec.layers)}.H${random.integer(spec.heads)}`),
    ...distinct(neurons, () => `L${random.integer(spec.layers)}.N${random.integer(spec.dMlp)}`),
  ];
}
