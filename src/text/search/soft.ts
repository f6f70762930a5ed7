/**
 * @file Soft prompts: texts relaxed to vectors or to distributions over tokens, improved by gradient ascent (Adam),
 * and read as tokens after every step. Only the tokens count; how much of z is lost on the way to them is reported as
 * the soft-to-hard gap.
 *
 * Runs of the two relaxations alternate, each from samples of the prior, each member with its own weight of
 * fluency. The temperature of the distributions falls over a run, so that they end close to tokens.
 */
import { z } from 'zod';
import type { Compiled } from '../../engine/compile.js';
import { Climb } from '../../engine/training/climb.js';
import { adamW } from '../../engine/training/optimizer.js';
import { stackRows } from '../lm/rows.js';
import type { Arena, Turns } from './arena.js';
import { epoLambdas } from './epo.js';
import { compileEmbeddings, compileProjected, compileRelaxed } from './soft-prompt.js';

/** Runs that are finished. */
const softState = z.int().min(0);

const STEPS = 60;
const MEMBERS = epoLambdas.length;
/** Step sizes of Adam, in the tokens' own scale: standard deviations of an embedding's entries, nats of a logit. */
const RATES = { project: 0.3, relax: 0.5 } as const;
/** Logit that the tokens of the start are ahead by, nats. */
const HEAD_START = 6;
/** Temperatures of the Gumbel-softmax, first and last. */
const TEMPERATURES = [1, 0.2] as const;

export async function* soft(arena: Arena): Turns {
  const { probe, subject, positions, random, gamma = 0 } = arena.options;
  const { spec, tokenizer, engine } = subject;
  const options = { probe, gamma, positions, batch: MEMBERS };
  const embeddings = await compileEmbeddings(options);
  const graphs = { project: await compileProjected(options), relax: await compileRelaxed(options) };
  const lambda = Float32Array.from(epoLambdas, (each) => arena.options.lambda ?? each);
  let climb: Climb | undefined;
  let run = arena.method.resumed(softState)?.state ?? 0;
  /** A run begins from samples. */
  let isBetween = false;
  arena.method.saves = () => (isBetween ? run : null);
  try {
    for (;;) {
      isBetween = false;
      const kind = run % 2 === 0 ? 'project' : 'relax';
      const graph: Compiled = graphs[kind];
      const texts = await arena.samplePrior(MEMBERS);
      const ids = texts.filter((_, i) => i % positions > 0); // behind the start token
      const starts = await embeddings.run({ ids });
      const width = kind === 'project' ? spec.dModel : spec.vocab;
      const likely = () => {
        const logits = new Float32Array(ids.length * width);
        for (const [i, id] of ids.entries()) logits[i * width + id] = HEAD_START;
        return logits;
      };
      const parameters = kind === 'project' ? (starts.embeddings as Float32Array) : likely();
      climb?.dispose();
      climb = await Climb.create(
        parameters,
        [MEMBERS, positions - 1, width],
        adamW({ beta2: 0.999 }),
        engine,
      );
      const rate = RATES[kind] * (kind === 'project' ? starts.scale![0]! : 1);
      for (let step = 0; step < STEPS; step++) {
        const [first, last] = TEMPERATURES;
        const sharpness = 1 / (first * (last / first) ** (step / (STEPS - 1)));
        const inputs = { soft: climb.parameter, lambda };
        const drawn =
          kind === 'project'
            ? {}
            : { noise: gumbel(parameters.length, () => random.uniform()), sharpness: [sharpness] };
        arena.countGradients(Math.min(MEMBERS, Math.max(0, arena.ledger.left / 2)));
        const { values, kept } = await graph.runKeeping({ ...inputs, ...drawn }, ['gradient']);
        const { ids, softZ } = values;
        await climb.step(kept.gradient, rate);
        kept.gradient.release();
        const rows = Array.from({ length: MEMBERS }, (_, row) =>
          Int32Array.from(
            tokenizer.behindStart([...ids!.subarray(row * (positions - 1), (row + 1) * (positions - 1))]),
          ),
        );
        const hard = await arena.evaluate(stackRows(rows), Array(MEMBERS).fill(kind));
        if (step === STEPS - 1) [run, isBetween] = [run + 1, true];
        const gaps = hard.flatMap((candidate, row) => (candidate ? [softZ![row]! - candidate.z] : []));
        yield gaps.length > 0
          ? { soft_to_hard_gap: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length }
          : undefined;
      }
    }
  } finally {
    climb?.dispose();
    embeddings.dispose();
    graphs.project.dispose();
    graphs.relax.dispose();
  }
}

/** Standard Gumbel noise: -ln(-ln u). */
function gumbel(size: number, uniform: () => number): Float32Array {
  return Float32Array.from({ length: size }, () => -Math.log(-Math.log(uniform() + 2 ** -25)));
}
