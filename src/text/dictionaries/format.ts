/** @file What a format of dictionaries says of itself, and what formats share. */
import type * as z from 'zod';
import { UserError } from '../../core/errors.js';
import type { Dictionary, LatentMatrix } from './dictionary.js';
import type { DictionaryFiles } from './found-files.js';

/** What a format says of a dictionary; arrays and sizes follow from its files and its encoder. */
export type DescribedDictionary = Omit<Dictionary, 'arrays' | 'size' | 'width'>;

/**
 * The dictionary that files hold; null when they are of another format. It may name a decoder whose arrays are missing:
 * `openDictionary` leaves that out.
 *
 * @throws UserError when they are of this format and make no sense
 */
export type DictionaryFormat = (files: DictionaryFiles) => DescribedDictionary | null;

/** Whether files have all these arrays. */
export const hasArrays = ({ arrays }: DictionaryFiles, ...names: readonly string[]): boolean =>
  names.every((name) => arrays.has(name));

/** The configuration by a schema. Throws UserError that names the field. */
export function parsedConfig<T extends z.ZodType>(
  schema: T,
  { config, configPath, path }: DictionaryFiles,
): z.output<T> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0]!;
  throw new UserError(
    `${configPath ?? path} is no configuration of a dictionary: "${field.join('.')}" is wrong (${message})`,
  );
}

/**
 * A matrix whose latents are numbered along the axis that is as long as `bias`; for names that have both layouts.
 *
 * @param usual - the axis where both are as long
 */
export function matrixBeside(
  { arrays }: DictionaryFiles,
  name: string,
  bias: string,
  usual: 0 | 1,
): LatentMatrix {
  const [rows, columns] = arrays.shape(name);
  const latents = arrays.shape(bias)[0];
  if (latents !== rows && latents !== columns)
    throw new UserError(
      `"${name}" [${arrays.shape(name)}] and "${bias}" [${arrays.shape(bias)}] in ${arrays.path} do not fit together`,
    );
  return { name, latents: rows === columns ? usual : latents === rows ? 0 : 1 };
}

/** A whole number of a state dict: a tensor of one element, or a plain value. */
export function wholeNumber({ arrays, values }: DictionaryFiles, name: string): number | null {
  const value = arrays.has(name) ? arrays.read(name)[0] : values.get(name);
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null;
}
