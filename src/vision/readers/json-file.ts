/** @file JSON that others wrote: read within limits, and by a schema. */
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { readRegularFile } from '../../core/regular-file.js';
import { limits } from '../limits.js';

/** A name of a layer, weight or operation: it will stand in lists, messages and on terminals. */
export const nameSchema = z
  .string()
  .max(limits.name)
  .regex(/^[^\p{Cc}\p{Bidi_C}]*$/u, 'has control characters');

/** Sizes of an array. */
export const shapeSchema = z.array(z.int().nonnegative()).max(limits.axes);

/**
 * Reads a JSON file.
 *
 * @throws UserError when it is no regular file, over the limits, no JSON, or not as the schema says
 */
export function readJsonFile<T>(path: string, schema: z.ZodType<T>): T {
  const text = readRegularFile(path, limits.jsonBytes).toString('utf8');
  if (jsonDepth(text) > limits.jsonDepth) {
    throw new UserError(
      `${path} holds more than ${limits.jsonDepth} lists inside each other: that is no file of a network`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is no JSON: the download is incomplete or damaged`, { cause: error });
  }
  return checked(schema, value, path);
}

/** The value if it is as the schema says. Throws UserError that says where in `what` it is not. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // Keys that others chose are not repeated as they are.
  const place = issue!.path.map((key) => (/^\w{1,40}$/.test(String(key)) ? String(key) : '…')).join('.');
  throw new UserError(
    `${what} is not as expected${place ? ` at ${place}` : ''}: ${issue!.message.slice(0, 200)}; the file is damaged, or something else`,
  );
}

/** Lists and objects inside each other, at most; brackets in strings do not count. */
function jsonDepth(text: string): number {
  let deepest = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (code === 0x5b || code === 0x7b) {
      deepest = Math.max(deepest, ++depth);
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return deepest;
}
