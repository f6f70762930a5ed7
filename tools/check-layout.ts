/**
 * @file What `npm run check` holds the source to besides types and lint: folders import only from those of lower levels
 * in CONTRIBUTING.md's table, files and functions stay short, no two files export the same name. Circles are biome's rule.
 *
 * Usage: npx tsx tools/check-layout.ts [FOLDER]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

const FILE_LINES = 300;
const FUNCTION_LINES = 80;

/** What a file declares and exports, one a line as the formatter leaves it; not what it hands on from other files. */
const EXPORTED = /^export (?:abstract )?(?:async )?(?:type|interface|class|function\*?|const) (\w+)/gm;

/** The level of each folder. A folder imports from itself and from lower levels; those of one level do not know each other. */
type Levels = ReadonlyMap<string, number>;

/** @param text - with a table whose rows begin with a level and a folder: "| 3 | `src/runs` |" */
export function readLevels(text: string): Levels {
  const rows = text.matchAll(/^\| (\d+) \| `src\/(\w+)` \|/gm);
  return new Map(Array.from(rows, ([, level, folder]) => [folder!, Number(level)]));
}

const folderOf = (path: string) => (path.includes('/') ? path.split('/')[0]! : null);

/** Entry files import from everywhere, and nothing from them. @param path - below the source folder, with slashes */
function* upwardImports(path: string, text: string, levels: Levels): Generator<string> {
  const folder = folderOf(path);
  if (folder === null) return;
  const level = levels.get(folder);
  if (level === undefined) return yield `${path}: ${folder} has no level in CONTRIBUTING.md`;
  for (const { fileName } of ts.preProcessFile(text).importedFiles) {
    if (!fileName.startsWith('.')) continue;
    const target = posix.join(posix.dirname(path), fileName);
    const other = folderOf(target);
    const isLower = other !== null && (levels.get(other) ?? level) < level;
    if (!isLower && other !== folder)
      yield `${path} imports ${target}: ${other ?? 'an entry file'} is of no lower level than ${folder}`;
  }
}

function* longFunctions(path: string, text: string): Generator<string> {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const open: ts.Node[] = [source];
  for (let node = open.pop(); node; node = open.pop()) {
    const first = lineOf(node.getStart());
    const lines = lineOf(node.end) - first + 1;
    if (ts.isFunctionLike(node) && lines > FUNCTION_LINES)
      yield `${path}:${first} has a function of ${lines} lines: at most ${FUNCTION_LINES}`;
    ts.forEachChild(node, (child) => void open.push(child));
  }
}

/** One sentence for each place that breaks a rule. Tests may import what they like, and a function of theirs may be long. */
export function* layoutFaults(folder: string, levels: Levels): Generator<string> {
  const exporters = new Map<string, string>();
  for (const found of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.tsx?$/.test(found)) continue;
    const path = found.replaceAll('\\', '/');
    const text = readFileSync(join(folder, found), 'utf8');
    const lines = text.split('\n').length - 1;
    if (lines > FILE_LINES) yield `${path} has ${lines} lines: at most ${FILE_LINES}`;
    if (/\.test\.tsx?$/.test(found)) continue;
    yield* upwardImports(path, text, levels);
    yield* longFunctions(path, text);
    for (const name of new Set(Array.from(text.matchAll(EXPORTED), ([, name]) => name!))) {
      const other = exporters.get(name);
      if (other) yield `${path} exports ${name}, as ${other} does: one word a thing, one thing a word`;
      exporters.set(name, path);
    }
  }
}

if (import.meta.url === pathToFileURL(argv[1]!).href) {
  const levels = readLevels(readFileSync('CONTRIBUTING.md', 'utf8'));
  const faults = [...layoutFaults(argv[2] ?? 'src', levels)];
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
