/** @file A job for each unit that a pattern means. */
import { openNamed } from '../jobs/open-named.js';
import { fieldsOf, readJob } from '../jobs/read-job.js';
import { isTask } from '../jobs/tasks.js';
import type { Run } from '../runs/events.js';
import { unitSets } from '../text/atlas/unit-pattern.js';
import type { TextModel } from '../text/lm/model.js';
import { textDefaults } from '../text/names.js';
import { unitContext } from '../text/readouts/units.js';
import { formatChannel } from '../vision/channel-unit.js';
import type { VisionNetwork } from '../vision/network.js';
import { parseUnitList } from '../vision/objectives/unit-list.js';
import { checkedCount } from './job-list.js';

const NEVER = new AbortController().signal;

/**
 * The jobs of a template, one per unit.
 *
 * @param pattern - as `unitSets` reads it, `L*.H*`, `L2.N0-511`; or a range of channels, `block3_conv2:*`
 * @param template - a job without its unit
 * @yields what a download says
 * @throws UsageError when the template is no such job, or the model has no unit of that name
 */
export async function* templateJobs(pattern: string, template: unknown): Run<object[]> {
  const first = readJob(withUnit(template, pattern));
  const { network, model } = yield* openNamed(first, NEVER);
  const names = network ? channelNames(pattern, network.network) : textNames(pattern, model!.model);
  return checkedCount(
    names.map((name) => withUnit(template, name)),
    pattern,
  );
}

/** The job about one unit. What is no job is left to `readJob`. */
function withUnit(template: unknown, unit: string): object {
  const job = { ...(template as object) } as { task?: unknown };
  const hasList = isTask(job.task) && 'units' in fieldsOf(job.task);
  return { ...job, ...(hasList ? { units: [unit] } : { unit }) };
}

function channelNames(pattern: string, network: VisionNetwork): string[] {
  return parseUnitList(pattern, network).map((one) =>
    one.kind === 'unit' ? formatChannel(one.unit) : pattern,
  );
}

function textNames(pattern: string, model: TextModel): string[] {
  const sets = unitSets([pattern], unitContext(model, textDefaults.measure));
  return sets.flatMap(({ group, indices }) => indices.map((index) => group.unit(index).name));
}
