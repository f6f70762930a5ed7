/** @file The model that successive jobs share: opened once, its weights uploaded once, its samplers and scorers compiled once. */
import { releaseWeights } from '../engine/compile.js';
import { openNamed } from '../jobs/open-named.js';
import { readJob } from '../jobs/read-job.js';
import type { Given } from '../jobs/task.js';
import type { JobRecord } from '../runs/description.js';
import { asJson, type Run } from '../runs/events.js';
import { KeptScorers } from '../text/kept-scorers.js';
import { KeptSamplers } from '../text/sampling/kept-samplers.js';
import { modelKey } from './grouping.js';

/** Keeps the model of the last job; another takes its place. */
export class SharedModel {
  private held: { readonly key: string; readonly given: Given } | null = null;

  /**
   * What `openJob` is given for a job: its model, opened.
   *
   * @throws UserError and UsageError as `readJob` and the opening of a model
   */
  async *of(data: JobRecord, signal: AbortSignal): Run<Given> {
    const job = readJob(data);
    const key = modelKey(asJson(job) as JobRecord);
    if (this.held?.key === key) return this.held.given;
    await this.release();
    const opened = yield* openNamed(job, signal);
    const kept = { samplers: new KeptSamplers(), scorers: new KeptScorers() };
    const given = opened.model ? { model: { ...opened.model, ...kept } } : opened;
    this.held = { key, given };
    return given;
  }

  async release(): Promise<void> {
    const { model, network } = this.held?.given ?? {};
    this.held = null;
    model?.samplers?.dispose();
    await model?.scorers?.dispose();
    if (model) await releaseWeights(model.model.weights);
    if (network) await releaseWeights(network.network.weights);
  }
}

/** The hash of a model's files. */
export const hashOf = ({ model, network }: Given): string => (model ?? network)!.hash;
