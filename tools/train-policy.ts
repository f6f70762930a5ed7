/**
 * @file Trains a network that plays Catch from pictures (`catch.ts`) with the project's own engine, by actor-critic.
 *
 *   npx tsx tools/train-policy.ts --out models/catch-policy [--updates 600] [--games 64] [--rate 0.002] [--seed 1]
 *
 * Takes two or three minutes and writes a TensorFlow.js model folder.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/core/random.js';
import { compile } from '../src/engine/compile.js';
import { adamW, cosineSchedule } from '../src/engine/training/optimizer.js';
import { Trainer } from '../src/engine/training/trainer.js';
import { actions, draw, GAME_STEPS, type Game, newGame, PIXELS, play } from './catch.js';
import { writeLayersModel } from './keras-layers.js';
import { firstParameters, forward, parameterShapes, policyLoss, topology } from './policy-network.js';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    updates: { type: 'string', default: '600' },
    games: { type: 'string', default: '64' },
    rate: { type: 'string', default: '0.002' },
    seed: { type: 'string', default: '1' },
  },
});
if (!options.out) throw new Error('give --out');
const [updates, games, peak, seed] = [options.updates, options.games, options.rate, options.seed].map(
  Number,
) as [number, number, number, number];

const PICTURE = PIXELS * PIXELS * 3;
const WARMUP = 20;
/** What a step later counts, against one now. */
const DISCOUNT = 0.97;
const batch = games * GAME_STEPS;

const trainer = await Trainer.create({
  loss: (inputs, weights) => ({ loss: policyLoss(inputs, weights) }),
  inputs: {
    picture: { shape: [batch, PIXELS, PIXELS, 3] },
    chosen: { shape: [batch, actions.length] },
    advantage: { shape: [batch] },
    earned: { shape: [batch] },
  },
  parameters: firstParameters(seed),
  rule: () => adamW({ weightDecay: 0 }),
  clipNorm: 1,
});
const player = await compile((inputs) => ({ ...forward(inputs.picture!, (name) => inputs[name]!) }), {
  inputs: {
    picture: { shape: [games, PIXELS, PIXELS, 3] },
    ...Object.fromEntries([...parameterShapes].map(([name, shape]) => [name, { shape }])),
  },
});

/** Plays games to their end with the policy as it is; what was seen, done and earned, step by step. */
async function playGames(random: Random, choose: (logits: Float32Array) => number) {
  const table: Game[] = Array.from({ length: games }, () => newGame(random));
  const picture = new Float32Array(batch * PICTURE);
  const chosen = new Float32Array(batch * actions.length);
  const rewards = new Float32Array(batch);
  const values = new Float32Array(batch);
  const parameters = Object.fromEntries(
    [...parameterShapes.keys()].map((name) => [name, trainer.parameters.get(name)!]),
  );
  for (let turn = 0; turn < GAME_STEPS; turn++) {
    const seen = picture.subarray(turn * games * PICTURE, (turn + 1) * games * PICTURE);
    for (const [i, game] of table.entries())
      draw(game, seen.subarray(i * PICTURE, (i + 1) * PICTURE), random);
    const { logits, value } = await player.run({ ...parameters, picture: seen.slice() });
    for (const [i, game] of table.entries()) {
      const own = (logits as Float32Array).subarray(i * actions.length, (i + 1) * actions.length);
      const action = choose(own);
      const at = turn * games + i;
      chosen[at * actions.length + action] = 1;
      rewards[at] = play(game, action);
      values[at] = value![i]!;
    }
  }
  const earned = rewards.slice();
  for (let at = batch - games - 1; at >= 0; at--) earned[at]! += DISCOUNT * earned[at + games]!;
  return { picture, chosen, earned, advantage: earned.map((x, at) => x - values[at]!), rewards };
}

const perGame = (rewards: Float32Array) => rewards.reduce((sum, x) => sum + x, 0) / games;
const random = new Random(seed);
const drawn = (logits: Float32Array) => random.weighted(Float64Array.from(logits, Math.exp));
const surest = (logits: Float32Array) => logits.indexOf(Math.max(...logits));

const start = performance.now();
let recent = 0;
for (let update = 0; update < updates; update++) {
  const { rewards, ...experience } = await playGames(random, drawn);
  recent = update === 0 ? perGame(rewards) : 0.95 * recent + 0.05 * perGame(rewards);
  await trainer.step(experience, peak * cosineSchedule(update, updates, WARMUP));
  if ((update + 1) % 50 === 0) {
    const seconds = (performance.now() - start) / 1000;
    process.stderr.write(
      `\r${update + 1}/${updates}  reward a game ${recent.toFixed(3)}  ${seconds.toFixed(0)} s `,
    );
  }
}
let total = 0;
const rounds = Math.ceil(1000 / games);
for (let round = 0; round < rounds; round++)
  total += perGame((await playGames(Random.of(seed, `test ${round}`), surest)).rewards);
process.stderr.write(`\n${rounds * games} games, greedy: reward ${(total / rounds).toFixed(3)} a game\n`);

const state = await trainer.snapshot();
const actor = [...parameterShapes.keys()].filter((name) => !name.startsWith('value'));
await writeLayersModel(
  options.out,
  'tools/train-policy.ts',
  topology(basename(options.out)),
  new Map(actor.map((name) => [name, state.get(name)!])),
  { classes: actions.map((name) => ({ id: name, name })) },
);
process.exit(0);
