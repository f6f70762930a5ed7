import { expect, it } from 'vitest';
import { recordedProbe } from './recorded-settings.js';

it('recordedProbe reads what text and tune write, and knows the defaults', () => {
  expect(recordedProbe({})).toEqual({
    reference: 'layer',
    measure: 'delta',
    at: 'max',
    engine: 'onnx',
    corpus: null,
  });
  const text = {
    reference: 'all',
    measure: { toward: ' Paris' },
    at: 'last',
    engine: 'cpu',
    corpus: 'a.txt',
  };
  expect(recordedProbe(text)).toEqual(text);
  expect(recordedProbe({ measure: 'raw', corpus: null, calibrateOn: 'b.txt' })).toMatchObject({
    measure: 'raw',
    corpus: 'b.txt',
  });
});
