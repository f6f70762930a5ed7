/** @file One event, one line: how `events.jsonl` is written and read. */
import type { JsonValue, ReadEvent, RunEvent } from './events.js';

/** One line of JSON, without the newline. */
export function encodeEvent(event: RunEvent): string {
  return JSON.stringify(event);
}

type FieldType = 'string' | 'number' | 'boolean' | 'object';

/** What readers rely on, and so what a line must have; fields that may be null or absent are not listed. */
const requiredFields: { [Kind in RunEvent['kind']]: Record<string, FieldType> } = {
  started: { task: 'string' },
  calibrated: { unit: 'string', tokens: 'number', source: 'string', cached: 'boolean' },
  progress: { source: 'string', budget: 'string', done: 'number', rate_unit: 'string' },
  candidate: { source: 'string', candidate: 'object', operator: 'string' },
  explained: { explanation: 'object' },
  baseline: { name: 'string' },
  frame: { file: 'string', step: 'number' },
  step: { source: 'string', step: 'number', metrics: 'object' },
  warning: { message: 'string' },
  finished: { reason: 'string' },
  failed: { message: 'string' },
};

/**
 * Reads one line of `events.jsonl`.
 *
 * @returns the event; `kind: 'unknown'` for a kind of a newer version; null for a damaged line
 */
export function decodeEvent(line: string): ReadEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value.kind !== 'string' || typeof value.at !== 'number') return null;
  if (!Object.hasOwn(requiredFields, value.kind)) {
    return { kind: 'unknown', at: value.at, event: value as Record<string, JsonValue> };
  }
  const fields = requiredFields[value.kind as RunEvent['kind']];
  // Versions before sources wrote none.
  const whole: Record<string, unknown> =
    'source' in fields && value.source === undefined ? { ...value, source: 'unstated' } : value;
  const complete = Object.entries(fields).every(([name, type]) => hasType(whole[name], type));
  return complete ? (whole as unknown as RunEvent) : null;
}

function hasType(value: unknown, type: FieldType): boolean {
  if (type === 'object') return isObject(value);
  // A number that was not finite became null.
  return typeof value === type || (type === 'number' && value === null);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
