/** What many recorded searches say together: one row a method and moment, and how `auto` compares. */
import type { Mark, Recorded } from './record.js';

export interface SummaryRow {
  seconds: number;
  method: string;
  runs: number;
  hypervolume: number;
  /** Mean of auto's hypervolume over this method's on the same unit and seed. */
  auto_over: number | null;
  best_share: number;
  z_under4: number;
  z_under6: number;
  margin_under4: number | null;
  /** Share of heads whose strongest text under 4 nats puts the head before all others of its layer. */
  head_first_share: number | null;
  /** Share of heads for which any text under 4 nats on the frontier does; over runs that recorded it. */
  any_first_share: number | null;
  evaluations: number;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const meanOrNull = (values: readonly number[]) => (values.length > 0 ? mean(values) : null);

/** Methods that the others are measured by; `evolve` is `auto` with fixed shares and one beginning, so it is not among them. */
const OWN = ['auto', 'evolve'];

export interface AgainstBest {
  seconds: number;
  /** Mean of auto's hypervolume over that of the best other method on the same unit and seed. */
  ratio: number;
  /** How often auto's is the largest. */
  best_share: number;
  /** How often auto's strongest text under 6 nats is at least as strong as that of each other method. */
  strongest_share: number;
}

/** `auto` against the best of all other methods, unit by unit. */
export function againstBest(all: readonly Recorded[]): AgainstBest[] {
  const autos = all.filter(({ method }) => method === 'auto');
  const moments = [...new Set(autos.flatMap(({ marks }) => marks.map(({ seconds }) => seconds)))];
  return moments.flatMap((seconds) => {
    const at = (run: Recorded) => run.marks.find((mark) => mark.seconds === seconds)!;
    const pairs = autos.flatMap((auto) => {
      const others = all.filter(
        ({ method, unit, seed }) => !OWN.includes(method) && unit === auto.unit && seed === auto.seed,
      );
      return others.length > 0 ? [{ auto: at(auto), others: others.map(at) }] : [];
    });
    if (pairs.length === 0) return [];
    const share = (holds: (auto: Mark, other: Mark) => boolean) =>
      mean(pairs.map(({ auto, others }) => (others.every((other) => holds(auto, other)) ? 1 : 0)));
    return [
      {
        seconds,
        ratio: mean(
          pairs.map(
            ({ auto, others }) =>
              auto.hypervolume / Math.max(...others.map(({ hypervolume }) => hypervolume)),
          ),
        ),
        best_share: share((auto, other) => auto.hypervolume >= other.hypervolume),
        strongest_share: share((auto, other) => (auto.under6?.z ?? 0) >= (other.under6?.z ?? 0)),
      },
    ];
  });
}

/** Only units and seeds that every method has been run on count. */
export function summarize(all: readonly Recorded[]): SummaryRow[] {
  const methods = [...new Set(all.map(({ method }) => method))];
  const key = ({ unit, seed }: Recorded) => `${unit} ${seed}`;
  const complete = [...new Set(all.map(key))].filter((one) =>
    methods.every((method) => all.some((run) => run.method === method && key(run) === one)),
  );
  const runs = all.filter((run) => complete.includes(key(run)));
  const moments = [...new Set(runs.flatMap(({ marks }) => marks.map(({ seconds }) => seconds)))].sort(
    (a, b) => a - b,
  );
  return moments.flatMap((seconds) => {
    const at = (run: Recorded) => run.marks.find((mark) => mark.seconds === seconds)!;
    const area = new Map(runs.map((run) => [`${run.method} ${key(run)}`, at(run).hypervolume]));
    const best = (one: string) => Math.max(...methods.map((method) => area.get(`${method} ${one}`)!));
    return methods.map((method): SummaryRow => {
      const own = runs.filter((run) => run.method === method);
      const marks = own.map(at);
      const fluent = marks.flatMap(({ under4 }) => (under4 ? [under4] : []));
      const heads = own.filter(({ unit }) => unit.includes('.H')).map(at);
      const first = (mark: Mark) => mark.under4?.rank === 1;
      const ratios = own.flatMap((run) => {
        const [auto, mine] = [area.get(`auto ${key(run)}`), at(run).hypervolume];
        return auto !== undefined && mine > 0 ? [auto / mine] : [];
      });
      return {
        seconds,
        method,
        runs: own.length,
        hypervolume: mean(marks.map(({ hypervolume }) => hypervolume)),
        auto_over: meanOrNull(ratios),
        best_share: mean(own.map((run) => (at(run).hypervolume >= best(key(run)) ? 1 : 0))),
        z_under4: mean(fluent.map(({ z }) => z)),
        z_under6: mean(marks.flatMap(({ under6 }) => under6?.z ?? [])),
        margin_under4: meanOrNull(fluent.flatMap(({ margin }) => margin ?? [])),
        head_first_share: meanOrNull(heads.map((mark) => (first(mark) ? 1 : 0))),
        any_first_share: meanOrNull(
          heads.flatMap(({ first4 }) => (first4 === undefined ? [] : first4 ? [1] : [0])),
        ),
        evaluations: mean(marks.map(({ evaluations }) => evaluations)),
      };
    });
  });
}

/** Median share of EPO's time in which auto reached EPO's last hypervolume; null where the two did not meet. */
export function timeToReach(all: readonly Recorded[], fast: string, slow: string): number | null {
  const shares = all
    .filter(({ method }) => method === slow)
    .flatMap((target) => {
      const goal = target.trajectory.at(-1);
      const other = all.find(
        ({ method, unit, seed }) => method === fast && unit === target.unit && seed === target.seed,
      );
      const reached = goal && other?.trajectory.find(([, area]) => area >= goal[1]);
      return goal && reached ? [reached[0] / goal[0]] : [];
    })
    .sort((a, b) => a - b);
  return shares[shares.length >> 1] ?? null;
}

export function formatRows(rows: readonly SummaryRow[]): string {
  const cell = (value: number | null, digits = 2) =>
    value === null || Number.isNaN(value) ? '' : value.toFixed(digits);
  const head = [
    'seconds',
    'method',
    'runs',
    'hypervolume',
    'auto over',
    'best',
    'z < 4',
    'z < 6',
    'margin',
    'head 1st',
    'any 1st',
    'evals',
  ];
  const lines = rows.map((row) => [
    ...[String(row.seconds), row.method, String(row.runs), cell(row.hypervolume, 1), cell(row.auto_over)],
    ...[cell(row.best_share), cell(row.z_under4), cell(row.z_under6), cell(row.margin_under4)],
    ...[cell(row.head_first_share), cell(row.any_first_share), cell(row.evaluations, 0)],
  ]);
  return [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}
