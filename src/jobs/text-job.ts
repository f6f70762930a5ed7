/** @file The task `text`: a search. */
import { z } from 'zod';
import type { Run } from '../runs/events.js';
import { searchMethodNames, textBounds, textDefaults } from '../text/names.js';
import type { SearchOptions, SearchResult } from '../text/search/search.js';
import {
  above0,
  isOneBudget,
  name,
  neuronpedia,
  oneBudget,
  probe,
  text,
  textLength,
  within,
} from './fields.js';
import { defineTask, type Given, type Opened } from './task.js';

const schema = z
  .strictObject({
    task: z.literal('text'),
    ...probe,
    unit: name,
    method: z.enum(searchMethodNames).default(textDefaults.method),
    /** Tokens after BOS. */
    length: textLength.default(textDefaults.length),
    /** The budget: one of the two. */
    seconds: above0.optional(),
    evaluations: within(textBounds.evaluations).optional(),
    /** Texts that the unit should be quieter on. */
    quietOn: z.array(text).default([]),
    gamma: z.number().min(0).optional(),
    lambda: above0.optional(),
    /** Files and folders of natural text to compare with. */
    naturalText: z.array(name).default([]),
    /** The model whose probability counts; null = the probed one. */
    prior: name.nullable().default(null),
    /** A tuned model to draw from. */
    policy: name.nullable().default(null),
    /** Samples of the prior at equal cost beside the search. */
    baseline: z.boolean().default(true),
    /** Texts of the frontier that are explained. */
    finalists: within(textBounds.finalists).default(textDefaults.finalists),
    neuronpedia,
  })
  .refine(isOneBudget, oneBudget)
  .transform((job) =>
    job.seconds === undefined && job.evaluations === undefined
      ? { ...job, seconds: textDefaults.seconds }
      : job,
  );

export const textTask = defineTask({
  schema,
  reads: 'text',
  keeps: true,
  isSearch: true,
  pathFields: ['model', 'calibrationText', 'naturalText', 'prior', 'policy'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<SearchResult>> {
    const { checkSearch } = await import('../text/search/check-search.js');
    const { searchCheckpoint } = await import('../text/search/checkpoint.js');
    const { earlierSearch, furtherBudget } = await import('../text/search/resume.js');
    const { searchText } = await import('../text/search/search.js');
    const { readRunCheckpoint, savingTo } = await import('./checkpoint-file.js');
    const { recordedModel } = await import('./open-text-model.js');
    const options = yield* searchOptions(job, signal, given);
    checkSearch(options);
    return {
      model: recordedModel(options),
      begin({ folder, signal, earlier }) {
        const all = { ...options, signal, ...(folder && { saving: savingTo(folder) }) };
        if (!earlier) return searchText(all);
        const { path, events, state } = earlier.reading;
        const before = earlierSearch(events, readRunCheckpoint(path, searchCheckpoint));
        const budget = furtherBudget(options.budget, before, earlier.more, state === 'done');
        return searchText({ ...all, budget, earlier: before });
      },
    };
  },
});

async function* searchOptions(
  job: z.output<typeof schema>,
  signal: AbortSignal,
  given: Given,
): Run<SearchOptions> {
  const { resolveModel } = await import('../hub/resolve-model.js');
  const { openPolicy } = await import('../rl/open-policy.js');
  const { corpusFiles } = await import('../text/corpus/corpus-text.js');
  const { openFluencyModel } = await import('../text/fluency/open-fluency.js');
  const { openSession } = await import('./open-text-model.js');
  const { publishedFeatures } = await import('./published-features.js');
  const { unit, method, length, seconds, evaluations, quietOn, gamma, lambda, baseline, finalists } = job;
  const session = yield* openSession(job, signal, given.model);
  const { prior, policy, naturalText, neuronpedia } = job;
  const published = yield* publishedFeatures([unit], neuronpedia, signal);
  return {
    ...session,
    published,
    unit,
    method,
    length,
    quietOn,
    baseline,
    finalists,
    // The schema leaves one of the two.
    budget: evaluations === undefined ? { seconds: seconds! } : { evaluations },
    ...(gamma !== undefined && { gamma }),
    ...(lambda !== undefined && { lambda }),
    ...(naturalText.length > 0 && { naturalText: corpusFiles(naturalText) }),
    ...(policy !== null && { policy: openPolicy(policy, session.model) }),
    ...(prior !== null && {
      fluency: await openFluencyModel((yield* resolveModel(prior, { signal })).folder, session.engine, job),
    }),
  };
}
