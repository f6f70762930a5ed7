/**
 * @file Soft prompts: texts relaxed to vectors or to distributions over tokens, improved by gradient ascent (Adam),
 * and read as tokens after every step. Only the tokens count; how much of z is lost on the way to them is told as
 * the soft-to-hard gap.
 *
 * Runs of the two relaxations alternate, each from samples of the prior, each member with its own weight of
 * fluency. The temperature of the distributions falls over a run, so that they end close to tokens.
 */
import type { Compiled } from '../../engine/compile.js';
import { embeddingArray } from '../lm/embed.js';
import { stackRows } from '../lm/rows.js';
import type { Arena } from './arena.js';
import { epoLambdas } from './epo.js';
import { compileProjected, compileRelaxed } from './soft-prompt.js';

const STEPS = 60;
const MEMBERS = epoLambdas.length;
/** Of Adam, in the tokens' own scale: standard deviations of an embedding's entries, nats of a logit. */
const RATES = { project: 0.3, relax: 0.5 } as const;
/** Logit that the tokens of the start are ahead by, nats. */
const HEAD_START = 6;
/** Of the Gumbel-softmax, first and last. */
const TEMPERATURES = [1, 0.2] as const;

export async function* soft(arena: Arena): AsyncGenerator<void, void, void> {
  const { probe, subject, positions, random, gamma = 0 } = arena.options;
  const { spec, tokenizer } = subject;
  const options = { probe, gamma, positions, batch: MEMBERS };
  const graphs = { project: await compileProjected(options), relax: await compileRelaxed(options) };
  const lambda = Float32Array.from(epoLambdas, (each) => arena.options.lambda ?? each);
  const table = embeddingArray(spec, subject.weights);
  const scale = Math.sqrt(table.reduce((sum, x) => sum + x * x, 0) / table.length);
  try {
    for (let run = 0; ; run++) {
      const kind = run % 2 === 0 ? 'project' : 'relax';
      const graph: Compiled = graphs[kind];
      const texts = await arena.samplePrior(MEMBERS);
      const width = kind === 'project' ? spec.dModel : spec.vocab;
      const parameters = new Float32Array(MEMBERS * (positions - 1) * width);
      for (let row = 0, at = 0; row < MEMBERS; row++)
        for (let t = 1; t < positions; t++, at += width) {
          const id = texts[row * positions + t]!;
          if (kind === 'project') parameters.set(table.subarray(id * width, (id + 1) * width), at);
          else parameters[at + id] = HEAD_START;
        }
      const adam = new Adam(parameters, RATES[kind] * (kind === 'project' ? scale : 1));
      for (let step = 0; step < STEPS; step++) {
        const [first, last] = TEMPERATURES;
        const sharpness = 1 / (first * (last / first) ** (step / (STEPS - 1)));
        const inputs = { soft: parameters.slice(), lambda };
        const drawn =
          kind === 'project'
            ? {}
            : { noise: gumbel(parameters.length, () => random.uniform()), sharpness: [sharpness] };
        arena.countGradients(Math.min(MEMBERS, Math.max(0, arena.left / 2)));
        const { gradient, ids, softZ } = await graph.run({ ...inputs, ...drawn });
        const rows = Array.from({ length: MEMBERS }, (_, row) =>
          Int32Array.from(
            tokenizer.behindBos([...ids!.subarray(row * (positions - 1), (row + 1) * (positions - 1))]),
          ),
        );
        const hard = await arena.evaluate(stackRows(rows), Array(MEMBERS).fill(kind));
        const gaps = hard.flatMap((candidate, row) => (candidate ? [softZ![row]! - candidate.z] : []));
        if (gaps.length > 0)
          arena.measured = { soft_to_hard_gap: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length };
        adam.ascend(gradient as Float32Array);
        yield;
      }
    }
  } finally {
    graphs.project.dispose();
    graphs.relax.dispose();
  }
}

/** Standard Gumbel noise: -ln(-ln u). */
function gumbel(size: number, uniform: () => number): Float32Array {
  return Float32Array.from({ length: size }, () => -Math.log(-Math.log(uniform() + 2 ** -25)));
}

/** Adam (Kingma & Ba 2015), upward, in place. */
class Adam {
  private readonly mean: Float32Array;
  private readonly square: Float32Array;
  private steps = 0;

  constructor(
    private readonly parameters: Float32Array,
    private readonly rate: number,
  ) {
    this.mean = new Float32Array(parameters.length);
    this.square = new Float32Array(parameters.length);
  }

  ascend(gradient: Float32Array): void {
    this.steps++;
    const [unbiasedMean, unbiasedSquare] = [1 - 0.9 ** this.steps, 1 - 0.999 ** this.steps];
    for (let i = 0; i < gradient.length; i++) {
      const slope = gradient[i]!;
      this.mean[i] = 0.9 * this.mean[i]! + 0.1 * slope;
      this.square[i] = 0.999 * this.square[i]! + 0.001 * slope * slope;
      const size = Math.sqrt(this.square[i]! / unbiasedSquare) + 1e-8;
      this.parameters[i]! += (this.rate * this.mean[i]!) / unbiasedMean / size;
    }
  }
}
