/** @file One event, one line: how `events.jsonl` is written and read. */
import { own } from '../core/own.js';
import { eventSchemas } from './event-schemas.js';
import type { JsonValue, ReadEvent, RunEvent } from './events.js';

/** One line of JSON, without the newline. */
export function encodeEvent(event: RunEvent): string {
  return JSON.stringify(event);
}

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
  if (!isObject(value) || typeof value.kind !== 'string' || !Number.isFinite(value.at)) return null;
  const schema = own(eventSchemas, value.kind);
  if (!schema) return { kind: 'unknown', at: value.at as number, event: value as Record<string, JsonValue> };
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
