/** @file Games of Catch played by a network as it is shipped, its surest action each step. */

import type { Random } from '../src/core/random.js';
import { compile } from '../src/engine/compile.js';
import type * as tf from '../src/engine/functions/tfjs.js';
import type { VisionNetwork } from '../src/vision/network.js';
import { preprocess } from '../src/vision/preprocess.js';
import { actions, draw, GAME_STEPS, isHit, newGame, PIXELS, play } from './catch.js';

export interface Played {
  /** Mean of a game. */
  readonly reward: number;
  /** Share of what was to be caught that was, and of bombs that were not. */
  readonly caught: number;
  readonly dodged: number;
}

const PICTURE = PIXELS * PIXELS * 3;

/** @param count - games, played beside one another */
export async function playCatch(network: VisionNetwork, count: number, random: Random): Promise<Played> {
  const program = await compile(
    ({ picture }, weights) => {
      const input = preprocess(picture as tf.Tensor4D, network.input.preprocessing!);
      return { logits: network.forward(weights, input, [{ layer: 'action' }])[0]! };
    },
    { inputs: { picture: { shape: [count, PIXELS, PIXELS, 3] } }, weights: network.weights },
  );
  const games = Array.from({ length: count }, () => newGame(random));
  let reward = 0;
  for (let step = 0; step < GAME_STEPS; step++) {
    const picture = new Float32Array(count * PICTURE);
    for (const [i, game] of games.entries())
      draw(game, picture.subarray(i * PICTURE, (i + 1) * PICTURE), random);
    const { logits } = await program.run({ picture: picture.map((x) => x / 255) });
    for (const [i, game] of games.entries()) {
      const own = logits!.subarray(i * actions.length, (i + 1) * actions.length);
      reward += play(game, own.indexOf(Math.max(...own)));
    }
  }
  program.dispose();
  const share = (isBomb: boolean) => {
    const own = games.filter((game) => game.isBomb === isBomb);
    return own.filter((game) => isHit(game) !== isBomb).length / own.length;
  };
  return { reward: reward / count, caught: share(false), dodged: share(true) };
}
