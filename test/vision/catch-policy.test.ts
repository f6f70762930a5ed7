/** @file The embedded policy network: it plays, and pictures for its actions are what they should be. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { resolveLocal } from '../../src/hub/resolve-model.js';
import { finishRun } from '../../src/runs/events.js';
import { parseExpression } from '../../src/vision/objectives/parse.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { renderUnits } from '../../src/vision/render/render.js';
import { CELLS, draw, type Game, isOver, newGame, PIXELS, play } from '../../tools/catch.js';
import { playCatch } from '../../tools/catch-player.js';

const game = (changes: Partial<Game> = {}): Game => ({
  paddle: 3,
  column: 4,
  row: CELLS - 2,
  isBomb: false,
  shade: [0, 0, 0],
  ...changes,
});

describe('the game', () => {
  it('rewards what is caught, punishes a bomb, and charges for moves', () => {
    expect(play(game(), 2)).toBeCloseTo(0.98);
    expect(play(game(), 1)).toBe(0);
    expect(play(game({ isBomb: true }), 2)).toBeCloseTo(-1.02);
    expect(play(game({ row: 0, column: 3 }), 1)).toBe(0);
  });

  it('keeps the paddle on the grid and ends in the lowest row', () => {
    const left = game({ paddle: 0 });
    play(left, 0);
    expect(left).toMatchObject({ paddle: 0, row: CELLS - 1 });
    expect(isOver(left)).toBe(true);
    expect(isOver(newGame(new Random(1)))).toBe(false);
  });

  it('is drawn as it stands', () => {
    const picture = new Float32Array(PIXELS * PIXELS * 3);
    draw(game({ row: 2 }), picture, new Random(1));
    const at = (y: number, x: number) => [
      ...picture.subarray((y * PIXELS + x) * 3, (y * PIXELS + x) * 3 + 3),
    ];
    const [red, green] = at(2 * 4 + 1, 4 * 4 + 1) as [number, number];
    expect(red - green).toBeGreaterThan(100);
    expect(Math.min(...at(PIXELS - 2, 3 * 4 + 1))).toBeGreaterThan(170);
    expect(Math.max(...at(PIXELS - 2, 0))).toBeLessThan(60);
  });
});

describe('models/catch-policy', () => {
  const network = openVisionNetwork(resolveLocal('catch-policy')!.folder);

  it('catches what is red and dodges what is blue', async () => {
    const { caught, dodged, reward } = await playCatch(network, 400, new Random(2));
    expect(caught).toBeGreaterThan(0.97);
    expect(dodged).toBeGreaterThan(0.97);
    expect(reward).toBeGreaterThan(0.5);
  });

  it('wants to go where its picture is red', async () => {
    const { units } = await finishRun(
      renderUnits({
        network,
        units: ['action:0', 'action:2'].map((unit) => parseExpression(unit)),
        steps: 64,
      }),
    );
    const [left, right] = units.map(({ picture: { width, height, data } }) => {
      // Red less blue, of the left half less the right.
      let balance = 0;
      for (let i = 0; i < width * height; i++)
        balance += (data[3 * i]! - data[3 * i + 2]!) * (i % width < width / 2 ? 1 : -1);
      return balance;
    });
    for (const { activation } of units) expect(activation.final).toBeGreaterThan(activation.start + 10);
    expect(left).toBeGreaterThan(0);
    expect(right).toBeLessThan(0);
  });
});
