/** @file The task `text`: a search. */
import { UsageError } from '../core/errors.js';
import { resolveModel } from '../hub/resolve-model.js';
import { openPolicy } from '../rl/open-policy.js';
import type { Run } from '../runs/events.js';
import { corpusFiles } from '../text/corpus/corpus-text.js';
import { openFluencyModel } from '../text/fluency/open-fluency.js';
import { checkSearch } from '../text/search/check-search.js';
import { earlierSearch, furtherBudget } from '../text/search/resume.js';
import { type SearchOptions, type SearchResult, searchText } from '../text/search/search.js';
import { openSession, recordedModel } from './open-subject.js';
import { publishedFeatures } from './published-features.js';
import type { JobOf } from './schema.js';
import type { Given, Task } from './task.js';

export const textTask: Task<'text', SearchResult> = {
  keeps: true,
  pathFields: ['model', 'calibrationText', 'naturalText', 'prior', 'policy'],
  outputFields: [],
  async *open(job, signal, given) {
    const options = yield* searchOptions(job, signal, given);
    checkSearch(options);
    return {
      model: recordedModel(options),
      begin({ signal, earlier }) {
        if (!earlier) return searchText({ ...options, signal });
        const before = earlierSearch(earlier.reading.events);
        const budget = furtherBudget(options.budget, before, earlier.more);
        return searchText({ ...options, signal, budget, earlier: before });
      },
    };
  },
};

async function* searchOptions(job: JobOf<'text'>, signal: AbortSignal, given: Given): Run<SearchOptions> {
  const { unit, method, length, seconds, evaluations, quietOn, gamma, lambda, baseline, finalists } = job;
  const session = yield* openSession(job, signal, given.model);
  const { prior, policy, naturalText, neuronpedia } = job;
  const published = yield* publishedFeatures([unit], neuronpedia, signal);
  return {
    ...session,
    published,
    ...{ unit, method, length, quietOn, baseline, finalists, budget: budgetOf(seconds, evaluations) },
    ...(gamma !== undefined && { gamma }),
    ...(lambda !== undefined && { lambda }),
    ...(naturalText.length > 0 && { naturalText: corpusFiles(naturalText) }),
    ...(policy !== null && { policy: openPolicy(policy, session.model) }),
    ...(prior !== null && {
      fluency: await openFluencyModel((yield* resolveModel(prior, { signal })).folder, session.engine, job),
    }),
  };
}

function budgetOf(seconds: number | undefined, evaluations: number | undefined): SearchOptions['budget'] {
  if (seconds !== undefined) return { seconds };
  if (evaluations !== undefined) return { evaluations };
  throw new UsageError('a search needs a budget');
}
