import { expect, it } from 'vitest';
import { visiblePicture } from './planes.js';

it('lays planes that are no colours beside each other', () => {
  const data = Float32Array.of(0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6);
  const row = visiblePicture({ width: 2, height: 2, channels: 2, data });
  expect([row.width, row.height, row.channels]).toEqual([6, 2, 1]);
  expect([...row.data].map((value) => Math.round(value * 10))).toEqual([
    1, 2, 10, 10, 9, 8, 3, 4, 10, 10, 7, 6,
  ]);
});

it('shows three planes that are colours as one picture', () => {
  const data = Float32Array.of(0.1, 0.2, 0.3, 0.9, 0.4, 0.5, 0.6, 0.8);
  const row = visiblePicture({ width: 1, height: 2, channels: 4, data }, 'colors');
  expect([row.width, row.height, row.channels]).toEqual([4, 2, 3]);
  const tenths = [...row.data].map((value) => Math.round(value * 10));
  expect(tenths.slice(0, 12)).toEqual([1, 2, 3, 10, 10, 10, 10, 10, 10, 9, 9, 9]);
  expect(tenths.slice(12)).toEqual([4, 5, 6, 10, 10, 10, 10, 10, 10, 8, 8, 8]);
  const three = { width: 1, height: 1, channels: 3, data: Float32Array.of(0.5, 0.5, 0.5) };
  expect(visiblePicture(three, 'planes').width).toBe(7);
  expect(visiblePicture(three, 'grey').data).toHaveLength(1);
});

it('leaves colour and grey as they are', () => {
  for (const channels of [1, 3]) {
    const picture = { width: 1, height: 1, channels, data: new Float32Array(channels) };
    expect(visiblePicture(picture)).toBe(picture);
  }
});
