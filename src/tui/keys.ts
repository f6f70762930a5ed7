/** @file Every key of the terminal UI, in one table: the program looks here what to do, and `?` shows it. */
import type { Key } from 'ink';

/** Where one can be. */
export type PlaceKind = 'runs' | 'filter' | 'text' | 'image' | 'tune' | 'candidate' | 'edit' | 'compare';

export type Command = (typeof bindings)[number]['command'];

interface Binding {
  readonly command: string;
  /** Names as `keyName` gives them. */
  readonly keys: readonly string[];
  readonly where: readonly PlaceKind[];
  readonly does: string;
  /** A word for the last line of the screen; only what one needs most has one. */
  readonly hint?: string;
}

const lists: readonly PlaceKind[] = ['runs', 'text', 'tune'];
const reading: readonly PlaceKind[] = ['runs', 'text', 'image', 'tune', 'candidate', 'compare'];
const typing: readonly PlaceKind[] = ['filter', 'edit'];
const everywhere: readonly PlaceKind[] = [...reading, ...typing];
const withinRun: readonly PlaceKind[] = ['text', 'image', 'tune', 'candidate'];

export const bindings = [
  {
    command: 'up',
    keys: ['up', 'k'],
    where: [...lists, 'candidate'],
    does: 'the one before',
    hint: 'choose',
  },
  { command: 'down', keys: ['down', 'j'], where: [...lists, 'candidate'], does: 'the next one' },
  { command: 'pageUp', keys: ['pageup', 'ctrl+b'], where: lists, does: 'a page up' },
  { command: 'pageDown', keys: ['pagedown', 'ctrl+f'], where: lists, does: 'a page down' },
  { command: 'first', keys: ['home', 'g'], where: [...lists, 'image', 'candidate'], does: 'to the first' },
  { command: 'last', keys: ['end', 'G'], where: [...lists, 'image', 'candidate'], does: 'to the last' },
  {
    command: 'left',
    keys: ['left', 'h'],
    where: ['image', 'candidate'],
    does: 'a frame or token to the left',
  },
  {
    command: 'right',
    keys: ['right', 'l'],
    where: ['image', 'candidate'],
    does: 'a frame or token to the right',
    hint: 'next',
  },
  { command: 'open', keys: ['return'], where: lists, does: 'open it', hint: 'open' },
  { command: 'order', keys: ['o'], where: lists, does: 'another order', hint: 'order' },
  { command: 'filter', keys: ['/'], where: ['runs'], does: 'filter by words', hint: 'filter' },
  {
    command: 'all',
    keys: ['a'],
    where: ['text', 'tune'],
    does: 'the frontier, or everything that was found',
    hint: 'all',
  },
  {
    command: 'mark',
    keys: ['space', 'm'],
    where: ['runs', 'text', 'tune', 'candidate'],
    does: 'mark, to compare with',
    hint: 'mark',
  },
  {
    command: 'compare',
    keys: ['c'],
    where: ['runs', 'text', 'tune', 'candidate'],
    does: 'compare with the marked one',
    hint: 'compare',
  },
  { command: 'swap', keys: ['x'], where: ['compare'], does: 'swap sides', hint: 'swap' },
  {
    command: 'color',
    keys: ['v'],
    where: ['candidate', 'compare'],
    does: 'colour by z or by log-probability',
    hint: 'colour',
  },
  {
    command: 'edit',
    keys: ['e'],
    where: ['candidate'],
    does: 'edit the text and see every figure move',
    hint: 'edit',
  },
  { command: 'play', keys: ['space', 'p'], where: ['image'], does: 'play the frames', hint: 'play' },
  {
    command: 'stop',
    keys: ['s'],
    where: withinRun,
    does: 'stop a live run and keep what it found',
    hint: 'stop and keep',
  },
  { command: 'left', keys: ['left', 'ctrl+b'], where: typing, does: 'a character to the left' },
  { command: 'right', keys: ['right', 'ctrl+f'], where: typing, does: 'a character to the right' },
  { command: 'first', keys: ['home', 'ctrl+a'], where: typing, does: 'to the start of the text' },
  { command: 'last', keys: ['end', 'ctrl+e'], where: typing, does: 'to the end of the text' },
  {
    command: 'erase',
    keys: ['backspace', 'delete'],
    where: typing,
    does: 'erase what stands before the cursor',
  },
  { command: 'clear', keys: ['ctrl+u'], where: typing, does: 'erase everything' },
  { command: 'newline', keys: ['ctrl+n'], where: ['edit'], does: 'a line break' },
  { command: 'accept', keys: ['return'], where: typing, does: 'done', hint: 'done' },
  {
    command: 'back',
    keys: ['escape'],
    where: everywhere,
    does: 'back; while typing: as it was',
    hint: 'back',
  },
  { command: 'help', keys: ['?'], where: reading, does: 'show or hide these keys', hint: 'keys' },
  { command: 'status', keys: ['i'], where: reading, does: 'say how far the run is, for screen readers' },
  {
    command: 'quit',
    keys: ['q'],
    where: reading,
    does: 'leave; a live run stops and keeps what it found',
    hint: 'leave',
  },
  { command: 'suspend', keys: ['ctrl+z'], where: everywhere, does: 'to the shell; fg comes back' },
  { command: 'interrupt', keys: ['ctrl+c'], where: everywhere, does: 'leave at once' },
] as const satisfies readonly Binding[];

const table: readonly (Binding & { readonly command: Command })[] = bindings;

/** What a key does in a place; null for nothing. */
export function commandFor(place: PlaceKind, key: string): Command | null {
  return table.find(({ where, keys }) => where.includes(place) && keys.includes(key))?.command ?? null;
}

/** The keys of a place, as help lists them. */
export function keysOf(place: PlaceKind): { keys: string; does: string }[] {
  return table
    .filter(({ where }) => where.includes(place))
    .map(({ keys, does }) => ({ keys: keys.map(readable).join(' '), does }));
}

/** The keys one needs most in a place: `Enter open`. @param live - a run of this process can be stopped */
export function hintsOf(place: PlaceKind, live: boolean): string[] {
  return table
    .filter(({ where, hint, command }) => hint && where.includes(place) && (live || command !== 'stop'))
    .map(({ keys, hint, command }) => `${command === 'up' ? '↑↓' : readable(keys[0]!)} ${hint}`);
}

/** One name for what Ink says of a key: `a`, `G`, `up`, `ctrl+c`, `space`. */
export function keyName(input: string, key: Partial<Key>): string {
  const special = (
    [
      ['upArrow', 'up'],
      ['downArrow', 'down'],
      ['leftArrow', 'left'],
      ['rightArrow', 'right'],
      ['pageUp', 'pageup'],
      ['pageDown', 'pagedown'],
      ['home', 'home'],
      ['end', 'end'],
      ['return', 'return'],
      ['escape', 'escape'],
      ['tab', 'tab'],
      ['backspace', 'backspace'],
      ['delete', 'delete'],
    ] as const
  ).find(([flag]) => key[flag]);
  if (special) return special[1];
  if (key.ctrl) return `ctrl+${input}`;
  // Enter that came with the keys before it.
  if (input === '\r') return 'return';
  return input === ' ' ? 'space' : input;
}

function readable(key: string): string {
  const names: Record<string, string> = {
    up: '↑',
    down: '↓',
    left: '←',
    right: '→',
    return: 'Enter',
    escape: 'Esc',
    pageup: 'PgUp',
    pagedown: 'PgDn',
    home: 'Home',
    end: 'End',
    space: 'Space',
    backspace: 'Backspace',
    delete: 'Del',
  };
  return names[key] ?? key.replace('ctrl+', 'Ctrl-');
}
