/**
 * @file `run.json`: the job, as data, plus what happened to it in `run`. Folders of versions before jobs had
 * `settings` instead; both are read here.
 */
import { z } from 'zod';
import type { FrameReport } from '../core/frame-report.js';
import type { JsonValue } from './events.js';

/** A job as a record: what each field means is the schema of its task's to say. */
export type JobRecord = { readonly task: string; readonly [field: string]: JsonValue };

/** A network, by its name and its files; of a language model also what its texts stand in. */
export interface RecordedModel {
  readonly name: string;
  readonly hash: string;
  readonly frame?: FrameReport | undefined;
}

/** What `run.json` holds: enough to repeat the run. */
export interface RunDescription {
  readonly job: JobRecord;
  /** The command line as typed, program name first; empty for a library call. */
  readonly command: readonly string[];
  /** Program and libraries whose version could change the result. */
  readonly versions: { readonly [name: string]: string };
  /** The probed model, and a hash of its files (`hub/model-hash.ts`). */
  readonly model: RecordedModel | null;
  /** ISO 8601; filled in when the folder is made. */
  readonly created?: string;
}

const frame = z.object({
  bos: z.string(),
  chat: z.string().nullable(),
  before: z.array(z.string()),
  after: z.array(z.string()),
});
const model = z
  .object({ name: z.string(), hash: z.string(), frame: frame.optional().catch(undefined) })
  .nullable()
  .catch(null);
const happened = {
  command: z.array(z.string()).catch([]),
  versions: z.record(z.string(), z.string()).catch({}),
  model,
  created: z.string().optional().catch(undefined),
};
const json = z.json() as z.ZodType<JsonValue>;
const today = z.object({ task: z.string(), run: z.object(happened) }).catchall(json);
const beforeJobs = z.object({
  task: z.string(),
  unit: z.string().nullable().catch(null),
  settings: z.record(z.string(), json),
  seed: z.number().nullable().catch(null),
  ...happened,
});

/** The contents of `run.json`. */
export function encodeDescription({ job, ...run }: RunDescription): string {
  return `${JSON.stringify({ ...job, run }, null, 1)}\n`;
}

/** Reads `run.json`; null for what is none. A job of a version before jobs has version 0 and its settings as fields. */
export function decodeDescription(value: unknown): RunDescription | null {
  const now = today.safeParse(value);
  if (now.success) {
    const { run, ...job } = now.data;
    return described(job as JobRecord, run);
  }
  const before = beforeJobs.safeParse(value);
  if (!before.success) return null;
  const { task, unit, settings, seed, ...run } = before.data;
  return described({ version: 0, task, ...(unit !== null && { unit }), ...settings, seed }, run);
}

function described(
  job: JobRecord,
  { created, ...run }: z.output<z.ZodObject<typeof happened>>,
): RunDescription {
  return { job, ...run, ...(created !== undefined && { created }) };
}

/** What a run is about, for people: its unit, or its units with commas; null for none. */
export function unitOf({ job }: RunDescription): string | null {
  if (typeof job.unit === 'string') return job.unit;
  return Array.isArray(job.units) ? job.units.join(', ') : null;
}

/** Everything that was asked for beside task and unit. */
export function settingsOf({ job }: RunDescription): [name: string, value: JsonValue][] {
  return Object.entries(job).filter(([name]) => !['version', 'task', 'unit', 'units'].includes(name));
}
