/**
 * @file Names of fields in errors. The library speaks of fields (`length`), the command line of options
 * (`--length`): an error marks a field's name, and the command line replaces it (`cli/option-names.ts`).
 */

/** A field's name as an error writes it. */
export const field = (name: string): string => `\`${name}\``;

/** Replaces the marked names. */
export function renameFields(message: string, rename: (name: string) => string): string {
  return message.replace(/`([a-zA-Z]+)`/g, (_, name: string) => rename(name));
}
