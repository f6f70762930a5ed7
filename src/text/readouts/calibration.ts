/**
 * @file What is usual for a unit: mean and standard deviation of its measure over calibration text, past
 * position 0, and the mean output of each head. z is counted from there.
 */

import { lastOf } from '../../core/last-of.js';
import type { EventBody } from '../../runs/events.js';
import type { Subject } from '../lm/subject.js';
import type { CalibrationSource } from './calibrated-unit.js';
import { type CalibrationStore, memoryStore } from './calibration-store.js';
import { type CalibrationText, countGroups, meanOf } from './count-groups.js';
import type { GroupStatistics } from './group-statistics.js';
import type { TextObjective } from './objective.js';
import type { Fit, ReadoutGroup } from './readout.js';
import type { ShippedStatistics } from './unit-statistics.js';

/** Sequences over which it is looked whether a group fits the model. */
const FIT_SEQUENCES = 8;

export interface CalibrationOptions {
  readonly subject: Subject;
  /** The text to count over, asked for when a group is not shipped and not in the store. */
  readonly text: () => Promise<CalibrationText>;
  /** Statistics that came with the model. */
  readonly shipped?: ShippedStatistics | undefined;
  readonly store?: CalibrationStore;
  /** Given, counting stops between two batches and throws its reason. */
  readonly signal?: AbortSignal | undefined;
}

type Calibrated = Extract<EventBody, { kind: 'calibrated' }>;
type Known = { readonly statistics: GroupStatistics; readonly from: CalibrationSource };

/** Statistics on demand, each group once; kept in a store so that the next process need not count again. */
export class Calibration {
  private readonly known = new Map<string, Known>();
  /** Groups that are looked for now. */
  private readonly asked = new Map<string, Promise<Known>>();
  private readonly store: CalibrationStore;
  private readonly fitted = new Set<string>();
  private readonly misfits: string[] = [];

  constructor(private readonly options: CalibrationOptions) {
    this.store = options.store ?? memoryStore();
  }

  /** Finds the statistics of some groups; those that were never counted are counted together. */
  async *prepare(groups: readonly ReadoutGroup[]): AsyncGenerator<EventBody, void, void> {
    const missing = new Map<string, ReadoutGroup>();
    for (const group of groups) {
      if (this.known.has(group.key)) continue;
      const found = this.findShipped(group) ?? this.findStored(group, await this.options.text());
      if (found) this.known.set(group.key, found);
      else missing.set(group.key, group);
    }
    if (missing.size === 0) return;
    const { subject, signal } = this.options;
    const text = await this.options.text();
    for (const { fit } of missing.values()) if (fit) yield* this.checkFit(fit, text);
    const counted = yield* countGroups(subject, [...missing.values()], text, signal);
    for (const [key, statistics] of counted) {
      this.store.save(storeKey(text, key), statistics);
      this.known.set(key, { statistics, from: sourceOf(text, false) });
    }
  }

  /** A few dozen tokens tell. */
  private async *checkFit(fit: Fit, text: CalibrationText): AsyncGenerator<EventBody, void, void> {
    if (this.fitted.has(fit.key)) return;
    this.fitted.add(fit.key);
    const ids = text.ids.subarray(0, FIT_SEQUENCES * text.positions);
    const mean = yield* meanOf(this.options.subject, fit, { ...text, ids }, this.options.signal);
    const complaint = fit.complaint(mean);
    if (complaint !== null) this.misfits.push(complaint);
  }

  async statistics(group: ReadoutGroup): Promise<GroupStatistics> {
    return (await this.find(group)).statistics;
  }

  async sourceOf(group: ReadoutGroup): Promise<CalibrationSource> {
    return (await this.find(group)).from;
  }

  /** What went wrong with the store, and what groups do not fit the model, since the last call; for the log of the run. */
  takeWarnings(): EventBody[] {
    const damaged = this.store
      .takeDamaged()
      .map((path) => `the calibration file ${path} is damaged: what it held is counted anew`);
    const messages = [...damaged, ...this.misfits.splice(0)];
    return messages.map((message) => ({ kind: 'warning', message }));
  }

  /** What is reported of an objective: mean and deviation of each of its units, and where they come from. */
  async *report({ terms }: TextObjective): AsyncGenerator<Calibrated, void, void> {
    for (const { readout } of terms) {
      const { name, group, index } = readout;
      const { statistics, from } = await this.find(group);
      const { mean, deviation, meanError, deviationError } = statistics;
      yield {
        kind: 'calibrated',
        unit: name,
        mean: mean[index]!,
        standard_deviation: deviation[index]!,
        mean_error: meanError?.[index] ?? null,
        standard_deviation_error: deviationError?.[index] ?? null,
        ...from,
      };
    }
  }

  private find(group: ReadoutGroup): Promise<Known> {
    const { key } = group;
    const found = this.asked.get(key) ?? lastOf(this.prepare([group])).then(() => this.known.get(key)!);
    this.asked.set(key, found);
    return found;
  }

  private findShipped(group: ReadoutGroup): Known | undefined {
    const { shipped } = this.options;
    const statistics = shipped?.load(group);
    return (
      statistics && { statistics, from: { source: 'model', tokens: shipped!.text.tokens, cached: true } }
    );
  }

  private findStored({ key }: ReadoutGroup, text: CalibrationText): Known | undefined {
    const statistics = this.store.load(storeKey(text, key));
    return statistics && { statistics, from: sourceOf(text, true) };
  }
}

const storeKey = (text: CalibrationText, group: string) => `${text.key} ${group}`;

function sourceOf({ ids, positions, source }: CalibrationText, cached: boolean): CalibrationSource {
  return { source, tokens: (ids.length / positions) * (positions - 1), cached };
}
