/** @file What a method saves of itself, and the candidates that it names: each once, referred to by its number. */
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { scoredText } from '../../runs/event-schemas.js';
import type { TextSubject } from '../lm/subject.js';
import type { Candidate } from './candidate.js';

export const savedCandidate = z.strictObject({
  report: scoredText,
  peak: z.int().min(0),
  margin: z.number().nullable(),
  rivals: z.number(),
});
type SavedCandidate = z.output<typeof savedCandidate>;

/** What a method saved, and the candidates that it names. */
export interface Saved<State> {
  readonly state: State;
  candidateOf(number: number): Candidate;
}

const damaged = () =>
  new UserError('the checkpoint of the run is damaged: it cannot be resumed; start a new one');

/** Numbers candidates as they are asked about. */
export class CandidateShelf {
  private readonly numbers = new Map<Candidate, number>();

  readonly numberOf = (candidate: Candidate): number => {
    const number = this.numbers.get(candidate) ?? this.numbers.size;
    this.numbers.set(candidate, number);
    return number;
  };

  get saved(): SavedCandidate[] {
    return [...this.numbers.keys()].map(({ report, peak, margin, rivals }) => ({
      report,
      peak,
      margin,
      rivals,
    }));
  }
}

/** The candidates by number, each one object. Throws UserError for a number that there is none of. */
export function candidatesOf(
  saved: readonly SavedCandidate[],
  { tokenizer }: Pick<TextSubject, 'tokenizer'>,
): (number: number) => Candidate {
  const all = saved.map(
    ({ report, peak, margin, rivals }): Candidate => ({
      ids: Int32Array.from(tokenizer.behindStart(report.token_ids)),
      peak,
      cross_entropy: report.cross_entropy,
      z: report.z,
      margin,
      rivals,
      report,
    }),
  );
  return (number) => {
    const candidate = all[number];
    if (!candidate) throw damaged();
    return candidate;
  };
}

/** What a method hands to a checkpoint, and gets back when its search is resumed. */
export class MethodState {
  /**
   * What the method needs to go on from the end of a turn, as data; null where it cannot. One that does not say begins
   * again when it is resumed.
   */
  saves: (numberOf: (candidate: Candidate) => number) => unknown = () => null;
  private before: Saved<unknown> | null = null;

  goOn(saved: Saved<unknown>): void {
    this.before = saved;
  }

  /** What the method had saved when it was stopped; null where it begins. Throws UserError for what is damaged. */
  resumed<T>(schema: z.ZodType<T>): Saved<T> | null {
    if (this.before === null) return null;
    const { state, candidateOf } = this.before;
    const read = schema.safeParse(state);
    if (!read.success) throw damaged();
    return { state: read.data, candidateOf };
  }
}
