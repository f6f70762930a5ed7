import { expect, it } from 'vitest';
import { randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { KeptSamplers } from './kept-samplers.js';

const subject = subjectOf(randomModel(Object.values(tinyConfigs)[0]!, 3), [0]);

it('compiles a sampler once for all that ask alike, and keeps the latest', async () => {
  const samplers = new KeptSamplers();
  const asked = (positions: number) => samplers.get({ subject: { ...subject }, positions, batch: 2 });
  const first = await asked(3);
  expect(await asked(3)).toBe(first);
  const rows = await first.sample(2, new Random(1));
  const others = [await asked(4), await asked(5), await asked(6)];
  expect(await asked(3)).toBe(first);
  await asked(7);
  expect(await asked(4)).not.toBe(others[0]);
  expect(await first.sample(2, new Random(1))).toEqual(rows);
  const other = subjectOf(randomModel(Object.values(tinyConfigs)[0]!, 4), [0]);
  expect(() => samplers.get({ subject: other, positions: 3, batch: 2 })).toThrow('other weights');
  samplers.dispose();
});
