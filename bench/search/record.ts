/** One search, with how far it was at some moments: a long run gives the figures of the shorter ones too. */

import { Frontier, hypervolume } from '../../src/core/frontier.js';
import type { ScoredText } from '../../src/core/scored-text.js';
import type { CorpusFile } from '../../src/text/corpus/corpus-text.js';
import type { TextModel } from '../../src/text/lm/model.js';
import { type SearchMethodName, searchText } from '../../src/text/search/search.js';

/** What a run had at one moment. */
export interface Mark {
  seconds: number;
  evaluations: number;
  hypervolume: number;
  /** The strongest text under so many nats; null where there is none. */
  under4: Strongest | null;
  under6: Strongest | null;
  /** The strongest under 4 nats of those that rank their unit first; runs of earlier versions lack it. */
  first4?: Strongest | null;
}

type Strongest = Pick<ScoredText, 'text' | 'cross_entropy' | 'z' | 'margin' | 'rank' | 'held_out'>;

export interface Recorded {
  model: string;
  unit: string;
  method: SearchMethodName;
  seed: number;
  seconds: number;
  marks: Mark[];
  /** Seconds and hypervolume each time it grew by more than a hundredth. */
  trajectory: [seconds: number, hypervolume: number][];
}

export interface RecordOptions {
  readonly model: TextModel;
  readonly modelHash: string;
  readonly unit: string;
  readonly method: SearchMethodName;
  readonly seed: number;
  readonly marks: readonly number[];
  /** What the method corpus reads. */
  readonly naturalText?: readonly CorpusFile[];
}

export async function recordSearch({
  model,
  modelHash,
  unit,
  method,
  seed,
  marks,
  naturalText,
}: RecordOptions): Promise<Recorded> {
  const seconds = Math.max(...marks);
  const run = searchText({
    model,
    modelHash,
    unit,
    method,
    seed,
    engine: 'onnx',
    measure: 'delta',
    at: 'max',
    reference: 'layer',
    length: 12,
    budget: { seconds },
    baseline: false,
    finalists: 0,
    ...(naturalText && { naturalText }),
  });
  const frontier = new Frontier<ScoredText>();
  const recorded: Recorded = { model: model.name, unit, method, seed, seconds, marks: [], trajectory: [] };
  let [rate, reached] = [0, 0];
  /** Puts down the marks that lie before a moment; what was found until then is on the frontier. */
  const markUntil = (now: number) => {
    for (const at of marks.filter(
      (mark) => mark <= now && !recorded.marks.some((done) => done.seconds === mark),
    ))
      recorded.marks.push(markOf(frontier.members, at, Math.round(rate * at)));
  };
  let waiting: ScoredText[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done) break;
    const event = next.value;
    if (event.kind === 'candidate') waiting.push(event.candidate);
    if (event.kind !== 'progress' || event.budget !== 'seconds') continue;
    // A turn's candidates come before its progress: they were found by then, not before.
    markUntil(event.done - 1e-9);
    for (const candidate of waiting) frontier.add(candidate);
    waiting = [];
    rate = event.rate ?? 0;
    const now = hypervolume(frontier.members);
    if (now > reached * 1.01) {
      recorded.trajectory.push([event.done, now]);
      reached = now;
    }
  }
  markUntil(Number.POSITIVE_INFINITY);
  return recorded;
}

function markOf(members: readonly ScoredText[], seconds: number, evaluations: number): Mark {
  const under = (limit: number, rankAtMost = Number.POSITIVE_INFINITY): Strongest | null => {
    const fluent = members.filter(
      ({ cross_entropy, rank }) => cross_entropy < limit && (rank ?? 1) <= rankAtMost,
    );
    if (fluent.length === 0) return null;
    const { text, cross_entropy, z, margin, rank, held_out } = fluent.reduce((a, b) => (b.z > a.z ? b : a));
    return { text, cross_entropy, z, margin, rank, ...(held_out && { held_out }) };
  };
  const strongest = { under4: under(4), under6: under(6), first4: under(4, 1) };
  return { seconds, evaluations, hypervolume: hypervolume(members), ...strongest };
}
