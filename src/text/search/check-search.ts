/** @file What can be wrong with the request for a search. */
import { UsageError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { encodeText } from '../lm/encode-text.js';
import { contextPhrase } from '../lm/spec.js';
import { openSubject } from '../lm/subject.js';
import { type Resolved, resolveUnits } from '../readouts/session.js';
import type { SearchOptions } from './search-options.js';

/**
 * Finds out what is wrong with a request before anything is computed or written.
 *
 * @throws UsageError for a unit, reference class, length or budget that makes no sense
 */
export function checkSearch(options: SearchOptions): Resolved {
  const { length, budget, model } = options;
  if (length < 1)
    throw new UsageError(
      `a text of ${length} tokens cannot be searched: ${field('length')} must be at least 1`,
    );
  if (length + 1 > model.spec.context) {
    throw new UsageError(
      `${field('length')} ${length} does not fit the model's ${contextPhrase(model.spec)}`,
    );
  }
  const amount = 'seconds' in budget ? budget.seconds : budget.evaluations;
  if (!(amount > 0))
    throw new UsageError(
      `a budget of ${amount} leaves nothing to search with: give ${field('seconds')} or ${field('evaluations')} above 0`,
    );
  if (options.lambda !== undefined && options.method !== 'soft' && options.method !== 'sample')
    throw new UsageError(
      `${field('lambda')} is one weight of fluency for the methods soft and sample; ${options.method} keeps texts of every fluency`,
    );
  if (options.policy !== undefined && options.method !== 'sample')
    throw new UsageError(
      `${field('policy')} is what ${field('method')} sample draws from; ${options.method} has no use for it`,
    );
  if (options.method === 'corpus' && options.naturalText === undefined)
    throw new UsageError(
      `the method corpus needs text to read: give files or folders with ${field('naturalText')}`,
    );
  const subject = openSubject(model, options.engine);
  for (const text of options.quietOn ?? []) encodeText(subject, text);
  return resolveUnits(options.unit, options);
}
