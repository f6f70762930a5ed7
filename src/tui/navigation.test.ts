import { describe, expect, it } from 'vitest';
import { bindings, commandFor, type PlaceKind } from './keys.js';
import { type Facts, insert, press } from './navigation.js';
import { runPlace, runsPlace, shownPlace, startAt, type Ui } from './places.js';

const facts: Facts = {
  count: 10,
  page: 4,
  chosen: { path: 'runs/a', text: null },
  at: 0,
  neighbours: [null, null],
};
const selected = (ui: Ui) => {
  const place = shownPlace(ui);
  return 'selected' in place ? place.selected : null;
};

describe('keys', () => {
  it('mean one thing in each place', () => {
    const places = new Set<PlaceKind>(bindings.flatMap(({ where }) => [...where]));
    for (const place of places) {
      const keys = bindings.flatMap(({ where, keys }) =>
        (where as readonly PlaceKind[]).includes(place) ? keys : [],
      );
      expect(keys.length, place).toBe(new Set(keys).size);
      expect(commandFor(place, 'ctrl+c')).toBe('interrupt');
    }
  });
});

describe('press', () => {
  it('moves within the list and no further', () => {
    const start = startAt(runsPlace);
    expect(selected(press(start, 'up', facts))).toBe(0);
    expect(selected(press(press(start, 'last', facts), 'down', facts))).toBe(9);
    expect(selected(press(start, 'pageDown', facts))).toBe(4);
  });

  it('goes in and comes back to where it was', () => {
    const there = press(press(startAt(runsPlace), 'down', facts), 'open', facts);
    expect(shownPlace(there)).toEqual(runPlace('runs/a'));
    expect(selected(press(there, 'back', facts))).toBe(1);
    expect(press(startAt(runsPlace), 'back', facts).places).toHaveLength(1);
  });

  it('types, erases whole characters, and takes the filter back', () => {
    const typing = press(startAt(runsPlace), 'filter', facts);
    const filter = (ui: Ui) => (shownPlace(ui) as typeof runsPlace).filter;
    const typed = insert(typing, 'L2\u0007😀');
    expect(filter(typed)).toBe('L2😀');
    expect(filter(press(typed, 'erase', facts))).toBe('L2');
    expect(shownPlace(press(typed, 'accept', facts))).toMatchObject({ filter: 'L2😀', cursor: null });
    expect(filter(press(typed, 'back', facts))).toBe('');
  });

  it('restores an edited text', () => {
    const text = { ...facts, chosen: { path: 'runs/a', text: 'abc' } };
    const there = press(press(startAt(runPlace('runs/a')), 'open', text), 'edit', text);
    expect(shownPlace(insert(there, 'd'))).toMatchObject({ text: 'abcd', original: 'abc' });
    expect(shownPlace(press(insert(there, 'd'), 'back', text))).toMatchObject({ text: 'abc', cursor: null });
  });

  it('compares with what is marked, and says how when nothing is', () => {
    const start = startAt(runsPlace);
    expect(press(start, 'compare', facts).notice).toContain('mark a run');
    const marked = press(start, 'mark', facts);
    const other = { ...facts, chosen: { path: 'runs/b', text: null } };
    const both = press(marked, 'compare', other);
    expect(shownPlace(press(both, 'swap', other))).toMatchObject({
      kind: 'compare',
      sides: [{ path: 'runs/b' }, { path: 'runs/a' }],
    });
  });
});
