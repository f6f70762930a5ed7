/** @file A job for each unit that a pattern means. */
import { UsageError } from '../core/errors.js';
import { formatUnit } from '../core/units.js';
import { loadNetwork } from '../jobs/open-network.js';
import { openTextModel } from '../jobs/open-subject.js';
import { fieldsOf, readJob } from '../jobs/read-job.js';
import { jobSchemas, type TaskName } from '../jobs/schema.js';
import type { Run } from '../runs/events.js';
import type { TextModel } from '../text/lm/model.js';
import { kinds } from '../text/readouts/kinds.js';
import { unitContext } from '../text/readouts/units.js';
import type { VisionNetwork } from '../vision/network.js';
import { parseUnitList } from '../vision/objectives/unit-list.js';
import { checkedCount } from './job-list.js';

const NEVER = new AbortController().signal;

/**
 * The jobs of a template, one a unit.
 *
 * @param pattern - `L*.H*`, `L2.N0-511`: `*` is any number, `0-511` a range; or a range of channels, `block3_conv2:*`
 * @param template - a job without its unit
 * @yields what a download says
 * @throws UsageError when the template is no such job, or the model has no unit of that name
 */
export async function* templateJobs(pattern: string, template: unknown): Run<object[]> {
  const first = readJob(withUnit(template, pattern));
  const names =
    first.task === 'image'
      ? channelNames(pattern, (yield* loadNetwork(first.model, NEVER)).network)
      : textNames(pattern, (yield* openTextModel(first.model, first.family, NEVER)).model);
  return checkedCount(
    names.map((name) => withUnit(template, name)),
    pattern,
  );
}

/** The job about one unit. What is no job is left to `readJob`. */
function withUnit(template: unknown, unit: string): object {
  const job = { ...(template as object) } as { task?: unknown };
  const isKnown = typeof job.task === 'string' && Object.hasOwn(jobSchemas, job.task);
  const hasList = isKnown && 'units' in fieldsOf(job.task as TaskName);
  return { ...job, ...(hasList ? { units: [unit] } : { unit }) };
}

function channelNames(pattern: string, network: VisionNetwork): string[] {
  return parseUnitList(pattern, network).map((one) => (one.kind === 'unit' ? formatUnit(one.unit) : pattern));
}

function textNames(pattern: string, model: TextModel): string[] {
  if (!/\*|\d-\d/.test(pattern)) return [pattern];
  const form = patternForm(pattern);
  const groups = Object.values(kinds).flatMap((kind) => kind.groups(unitContext(model, 'delta')));
  const names = groups
    .flatMap((group) => Array.from({ length: group.size }, (_, index) => group.unit(index).name))
    .filter(form);
  if (names.length > 0) return names;
  throw new UsageError(`"${pattern}" means no unit of ${model.name}: "superstim units" lists what it has`);
}

/** Whether a name is one of those that a pattern means. */
function patternForm(pattern: string): (name: string) => boolean {
  const parts = pattern.split(/(\*|\d+-\d+)/);
  const ranges = parts.filter((_, i) => i % 2 === 1).map((part) => part.split('-').map(Number));
  const literal = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const form = new RegExp(`^${parts.map((part, i) => (i % 2 ? '(\\d+)' : literal(part))).join('')}$`);
  return (name) =>
    form
      .exec(name)
      ?.slice(1)
      .every((text, i) => {
        const [first = Number.NaN, last = Number.NaN] = ranges[i]!;
        return Number.isNaN(first) || (Number(text) >= first && Number(text) <= last);
      }) ?? false;
}
