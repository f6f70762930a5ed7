/** @file What the recorded searches (`results/**\/runs.jsonl`) say of `auto`: a value per seed, from the runs themselves. */
import type { Claim, Measurement, Source } from '../report/result-file.js';
import type { Recorded } from './record.js';
import { againstBest, summarize, timeToReach } from './summary.js';

/** The searches of one model and one seed. */
export interface Series {
  readonly source: Source;
  readonly runs: readonly Recorded[];
}

/** Which method `auto` is put beside, after how many seconds. */
const comparisons: readonly (readonly [method: string, seconds: number])[] = [
  ...([5, 20, 60] as const).map((seconds) => ['epo', seconds] as const),
  ...(['prior', 'sample', 'corpus', 'soft', 'evolve'] as const).map((method) => [method, 20] as const),
];

/** Claims about one model; series in order of their seeds. */
export function searchClaims(model: string, series: readonly Series[]): Measurement[] {
  const compared = comparisons.map(([method, at]) =>
    measured(
      series,
      ({ runs }) => rowOf(runs, method, at)?.auto_over,
      (ratios) => ({
        claim: `Hypervolume of \`auto\`, ${model}, ${at} s`,
        than: `\`${method}\``,
        better: 'more',
        ratios,
      }),
    ),
  );
  const best = measured(
    series.filter(({ runs }) =>
      ['prior', 'sample', 'epo'].every((one) => runs.some(({ method }) => method === one)),
    ),
    ({ runs }) => againstBest(runs).find(({ seconds }) => seconds === 20)?.ratio,
    (ratios) => ({
      claim: `Hypervolume of \`auto\`, ${model}, 20 s`,
      than: 'the best of all but `evolve`, unit by unit',
      better: 'more',
      ratios,
    }),
  );
  const time = measured(
    series,
    ({ runs }) => timeToReach(runs, 'auto', 'epo'),
    (ratios) => ({
      claim: `Time in which \`auto\` reaches \`epo\`'s last hypervolume, ${model}, median of the units`,
      than: '`epo`',
      better: 'less',
      ratios,
    }),
  );
  const strong = measured(
    series,
    ({ runs }) => {
      const [auto, epo] = [rowOf(runs, 'auto', 20), rowOf(runs, 'epo', 20)];
      return auto && epo && auto.z_under6 / epo.z_under6;
    },
    (ratios) => ({
      claim: `Strongest z under 6 nats of \`auto\`, ${model}, 20 s, mean of the units`,
      than: '`epo`',
      better: 'more',
      ratios,
    }),
  );
  const first = (which: 'the strongest' | 'any', share: 'head_first_share' | 'any_first_share') =>
    measured(
      series,
      ({ runs }) => rowOf(runs, 'auto', 20)?.[share],
      (values) => ({
        claim: `Share of heads that rank first on ${which} text of \`auto\` under 4 nats, ${model}, 20 s`,
        values,
      }),
    );
  const ranks = [first('the strongest', 'head_first_share'), first('any', 'any_first_share')];
  return [...compared, best, time, strong, ...ranks].flat();
}

/** On how many units EPO's strongest text under 6 nats is stronger than `auto`'s after 20 seconds, of how many. */
export function strongerThanAuto(runs: readonly Recorded[]): { stronger: number; units: number } {
  const z = (method: string, unit: string) =>
    runs
      .find((run) => run.method === method && run.unit === unit)
      ?.marks.find(({ seconds }) => seconds === 20)?.under6?.z ?? 0;
  const units = [...new Set(runs.filter(({ method }) => method === 'auto').map(({ unit }) => unit))];
  return { stronger: units.filter((unit) => z('epo', unit) > z('auto', unit)).length, units: units.length };
}

const rowOf = (runs: readonly Recorded[], method: string, seconds: number) =>
  summarize(runs).find((row) => row.method === method && row.seconds === seconds);

/** One claim with a value a series, of the series that have one; none where no series has. */
function measured(
  series: readonly Series[],
  figureIn: (one: Series) => number | null | undefined,
  claimOf: (values: number[]) => Claim,
): Measurement[] {
  const found = series.flatMap((one) => {
    const value = figureIn(one);
    return typeof value === 'number' ? [{ ...one, value }] : [];
  });
  if (found.length === 0) return [];
  const claim = claimOf(found.map(({ value }) => value));
  const seeds = found.map(({ runs }) => runs[0]!.seed).join(', ');
  const note = found.length === 1 ? `seed ${seeds}` : `seeds ${seeds}`;
  return [{ sources: found.map(({ source }) => source), claims: [{ ...claim, note }] }];
}
