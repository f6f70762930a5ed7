/** @file The order of a sweep: jobs of one model, and of one layer of it, stand together. */
import { UserError } from '../core/errors.js';
import { isTask, taskOf } from '../jobs/tasks.js';
import type { JobRecord } from '../runs/description.js';
import { parseUnit } from '../text/readouts/kinds.js';
import { parseUnitSum } from '../text/readouts/unit-sum.js';

/** Puts jobs together that share a model, and among them those of one task and layer; else the order stays. */
export function grouped<Entry extends { readonly job: JobRecord }>(entries: readonly Entry[]): Entry[] {
  const ofModels = together(entries, ({ job }) => modelKey(job));
  return ofModels.flatMap((list) => together(list, ({ job }) => `${job.task} ${layerOf(job)}`).flat());
}

function together<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string): Entry[][] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.values()];
}

/** Jobs of one key can share an opened model. */
export const modelKey = ({ task, model, family }: JobRecord): string =>
  JSON.stringify([isTask(task) ? taskOf(task).reads : null, model ?? null, family ?? null]);

/** The layer of a job's first unit; null where it has none. */
function layerOf({ unit, units }: JobRecord): number | string | null {
  const [first] = [unit, units].flat().filter((name) => typeof name === 'string');
  if (first === undefined) return null;
  try {
    const [term] = parseUnitSum(first, parseUnit);
    return term && 'layer' in term.unit ? term.unit.layer : null;
  } catch (error) {
    // A picture's expression, or no unit at all: it is refused where it is opened.
    if (error instanceof UserError) return first.split(':', 1)[0]!;
    throw error;
  }
}
