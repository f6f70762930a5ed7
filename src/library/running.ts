/** @file A computation that runs: its events for callers that iterate over it, its result for callers that await it. */
import { UserError } from '../core/errors.js';
import type { Run, RunEvent } from '../runs/events.js';

/**
 * A long computation. It begins when it is awaited or iterated over:
 *
 * ```ts
 * const result = await lm.search('L2.H5', { evaluations: 500 });
 * ```
 * ```ts
 * const search = lm.search('L2.H5', { evaluations: 500 });
 * for await (const event of search) console.log(event.kind);
 * const result = await search.result;
 * ```
 *
 * A loop that is left early stops the computation. An error is thrown where it is awaited or iterated over.
 */
export class Running<Result> implements AsyncIterable<RunEvent>, PromiseLike<Result> {
  private readonly run: Run<Result>;
  private readonly outcome: Promise<Result>;
  private succeed!: (result: Result) => void;
  private fail!: (error: unknown) => void;
  private iterated = false;
  private driven = false;
  private ended = false;

  /** @param begin - a generator function: nothing of it runs before somebody listens */
  constructor(begin: () => Run<Result>) {
    this.run = begin();
    this.outcome = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
    // Who iterates need not await the result as well.
    this.outcome.catch(() => {});
  }

  /** The result. Without a loop over the events they are passed over. */
  get result(): Promise<Result> {
    if (!this.driven) {
      this.driven = true;
      void this.drive();
    }
    return this.outcome;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is awaited like a promise
  then<Value = Result, Reason = never>(
    onResult?: ((result: Result) => Value | PromiseLike<Value>) | null,
    onError?: ((error: unknown) => Reason | PromiseLike<Reason>) | null,
  ): Promise<Value | Reason> {
    return this.result.then(onResult, onError);
  }

  /** The events from here on; only one loop can read them. */
  [Symbol.asyncIterator](): AsyncIterator<RunEvent, void> {
    if (this.iterated) throw new UserError('the events of a run can be read by one loop only');
    this.iterated = true;
    return this.events();
  }

  private async *events(): AsyncGenerator<RunEvent, void> {
    try {
      for (;;) {
        const event = await this.next();
        if (event === null) return;
        yield event;
      }
    } finally {
      if (!this.ended) {
        this.ended = true;
        await this.run.return(undefined as Result);
        this.fail(new UserError('the run was left before its end: it has no result'));
      }
    }
  }

  /** Passes events over until somebody iterates. */
  private async drive(): Promise<void> {
    // A loop that begins at once gets every event.
    await Promise.resolve();
    try {
      while (!this.iterated && !this.ended) await this.next();
    } catch {
      // `outcome` has it.
    }
  }

  /** The next event; null at the end. */
  private async next(): Promise<RunEvent | null> {
    try {
      const next = await this.run.next();
      if (!next.done) return next.value;
      this.ended = true;
      this.succeed(next.value);
      return null;
    } catch (error) {
      this.ended = true;
      this.fail(error);
      throw error;
    }
  }
}
