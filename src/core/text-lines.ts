/** @file The lines of a text file, in bounded memory. */
import { UserError } from './errors.js';
import { readTextFile } from './text-file.js';

/** Characters of a line. */
const LONGEST = 100_000;

/** Line by line, without line breaks. @throws UserError as `readTextFile`, and for a line that is too long */
export async function* textLines(path: string): AsyncGenerator<string, void, void> {
  let rest = '';
  for await (const { text } of readTextFile(path)) {
    const whole = (rest + text).split(/\r?\n/);
    rest = whole.pop()!;
    if (rest.length > LONGEST)
      throw new UserError(
        `could not read ${path}: a line has more than ${LONGEST} characters; give one text per line`,
      );
    yield* whole;
  }
  yield rest;
}
