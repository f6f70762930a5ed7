/** @file Where a run's events come from: the log of a run folder, followed while it grows, or a run in this process. */

import type { RunDescription } from '../runs/description.js';
import type { RunEvent } from '../runs/events.js';
import { type Missing, type RunFacts, type ViewedRun, viewRun } from '../runs/read-run.js';
import { RunTail } from '../runs/run-tail.js';
import { emptyView, type RunView } from '../runs/run-view.js';
import { advanceView } from '../runs/view-growth.js';

/** A run at one moment. */
export interface RunSnapshot {
  readonly view: RunView;
  readonly description: RunDescription | null;
  /** What is absent or damaged, in sentences. */
  readonly missing: readonly Missing[];
  /** Events still come. */
  readonly growing: boolean;
}

/** A run to look at; its snapshots are for `useSyncExternalStore`. */
export interface RunSource {
  /** The run folder. */
  readonly path: string;
  /** Stops the run and keeps what it found; null for a run of another process. */
  readonly stop: (() => void) | null;
  snapshot(): RunSnapshot;
  subscribe(listener: () => void): () => void;
  close(): void;
}

/** Milliseconds between two snapshots of a run that grows: ten a second. */
const SNAPSHOT_EVERY = 100;

/** A log that was written to so many milliseconds ago belongs to an active run. */
const GROWING_WITHIN = 60_000;

abstract class OpenRunSource {
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly path: string,
    protected current: RunSnapshot,
  ) {}

  snapshot = (): RunSnapshot => this.current;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  protected update(change: Partial<RunSnapshot>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** A run of this process: events are pushed in, snapshots come out ten times a second. */
export class LiveRun extends OpenRunSource implements RunSource {
  private waiting: RunEvent[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    path: string,
    description: RunDescription,
    readonly stop: () => void,
  ) {
    super(path, { view: emptyView, description, missing: [], growing: true });
  }

  push(event: RunEvent): void {
    this.waiting.push(event);
    this.timer ??= setTimeout(() => this.flush(), SNAPSHOT_EVERY);
  }

  /** Nothing more comes. */
  end(): void {
    this.flush();
    this.update({ growing: false });
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private flush(): void {
    this.close();
    if (this.waiting.length > 0) this.update({ view: advanceView(this.current.view, this.waiting) });
    this.waiting = [];
  }
}

/** A run as it was read. */
export function snapshotOf({ view, description, missing, ...log }: ViewedRun): RunSnapshot {
  return { view, description, missing, growing: isGrowing(log) };
}

/** A run on disk, read whole and followed while it grows. */
export class DiskRun extends OpenRunSource implements RunSource {
  readonly stop = null;
  private readonly tail: RunTail;
  private timer: NodeJS.Timeout | null = null;

  /** @throws UserError when `path` is no run folder */
  constructor(path: string) {
    const tail = new RunTail(path);
    const reading = viewRun(path, tail);
    super(reading.path, snapshotOf(reading));
    this.tail = tail;
    if (tail.state === 'open') this.timer = setInterval(() => this.poll(), SNAPSHOT_EVERY);
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private poll(): void {
    const { view } = this.current;
    const events = advanceView(view, this.tail.poll());
    if (this.tail.state !== 'open') this.close();
    if (events === view && isGrowing(this.tail) === this.current.growing) return;
    this.update(snapshotOf(viewRun(this.path, this.tail, events)));
  }
}

function isGrowing({ state, lastWrite }: Pick<RunFacts, 'state' | 'lastWrite'>): boolean {
  return state === 'open' && lastWrite !== null && Date.now() - lastWrite < GROWING_WITHIN;
}
