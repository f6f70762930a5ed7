/**
 * @file What `npm run check` holds the source to besides types and lint: rooms import only from those above them in
 * CONTRIBUTING.md's layout, files and functions stay short, no two files export the same name. Circles are biome's rule.
 *
 * Usage: npx tsx tools/check-layout.ts [FOLDER]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** A room imports from itself and from lines above its own. Rooms of one line do not know each other. */
const rooms = [
  ['core'],
  ['engine'],
  ['runs'],
  ['hub'],
  ['text', 'vision'],
  ['rl', 'media'],
  ['jobs'],
  ['report', 'library', 'sweep'],
  ['tui'],
  ['cli'],
];
const FILE_LINES = 300;
const FUNCTION_LINES = 80;

/** What a file declares and exports, one a line as the formatter leaves it; not what it hands on from other files. */
const EXPORTED = /^export (?:abstract )?(?:async )?(?:type|interface|class|function\*?|const) (\w+)/gm;

const roomOf = (path: string) => path.split('/')[0]!;
const floorOf = (path: string) => rooms.findIndex((floor) => floor.includes(roomOf(path)));

/** @param path - below the source folder, with slashes */
function* upwardImports(path: string, text: string): Generator<string> {
  if (floorOf(path) < 0) return;
  for (const { fileName } of ts.preProcessFile(text).importedFiles) {
    if (!fileName.startsWith('.')) continue;
    const target = posix.join(posix.dirname(path), fileName);
    const isBelow = floorOf(target) >= floorOf(path) && roomOf(target) !== roomOf(path);
    if (isBelow) yield `${path} imports ${target}: ${roomOf(target)} is no room above ${roomOf(path)}`;
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

/** One sentence for each place that breaks a rule. Tests may import what they like and be as long as they are. */
export function* layoutFaults(folder: string): Generator<string> {
  const exporters = new Map<string, string>();
  for (const found of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.tsx?$/.test(found) || /\.test\.tsx?$/.test(found)) continue;
    const path = found.replaceAll('\\', '/');
    const text = readFileSync(join(folder, found), 'utf8');
    const lines = text.split('\n').length - 1;
    if (lines > FILE_LINES) yield `${path} has ${lines} lines: at most ${FILE_LINES}`;
    yield* upwardImports(path, text);
    yield* longFunctions(path, text);
    for (const name of new Set(Array.from(text.matchAll(EXPORTED), ([, name]) => name!))) {
      const other = exporters.get(name);
      if (other) yield `${path} exports ${name}, as ${other} does: one word a thing, one thing a word`;
      exporters.set(name, path);
    }
  }
}

if (import.meta.url === pathToFileURL(argv[1]!).href) {
  const faults = [...layoutFaults(argv[2] ?? 'src')];
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
