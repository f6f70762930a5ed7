/** @file Hooks of the screens: the size of the window, runs, explanations, pictures, keys. */
import { type Key, useInput } from 'ink';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import type { Line } from '../media/styled.js';
import { runFile } from '../runs/run-file.js';
import { drawProgress, PROGRESS_ROW } from './draw/run-header.js';
import type { Answer } from './explain-client.js';
import { commandFor, keyName, type PlaceKind } from './keys.js';
import { type Facts, insert, press } from './navigation.js';
import type { Ui } from './places.js';
import type { RunSnapshot, RunSource } from './run-source.js';
import type { ScreenBuffer } from './screen.js';
import type { ViewerState } from './viewer-state.js';

/** The window's size, following it. */
export function useWindowSize(screen: ScreenBuffer): { columns: number; rows: number } {
  const [size, setSize] = useState({ columns: screen.columns, rows: screen.rows });
  useEffect(() => {
    const onResize = () => setSize({ columns: screen.columns, rows: screen.rows });
    screen.on('resize', onResize);
    return () => {
      screen.off('resize', onResize);
    };
  }, [screen]);
  return size;
}

/** A run as it stands now. */
export function useRun(source: RunSource): RunSnapshot {
  return useSyncExternalStore(source.subscribe, source.snapshot);
}

/** Milliseconds between two drawings of the progress of a run in this process. */
const TICK = 100;

/** The lines of a run's screen with its progress as of now: events come only step by step. */
export function useClock(
  lines: readonly Line[],
  source: RunSource,
  snapshot: RunSnapshot,
  columns: number,
): readonly Line[] {
  const running = source.stop !== null && snapshot.growing;
  const [now, setNow] = useState(0);
  const since = useMemo(() => ({ snapshot, time: performance.now() }), [snapshot]);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(performance.now()), TICK);
    return () => clearInterval(timer);
  }, [running]);
  if (!running || lines.length <= PROGRESS_ROW) return lines;
  const later = Math.max(0, now - since.time) / 1000;
  return lines.with(PROGRESS_ROW, drawProgress(snapshot, columns, later));
}

const SCORING: Answer = { state: 'asked', note: 'scoring' };

/**
 * The evidence for a text: from the run's own events, else computed in the explaining thread.
 *
 * @param text - null asks for nothing
 */
export function useExplanation(viewer: ViewerState, run: RunSnapshot, text: string | null): Answer | null {
  const known = text === null ? undefined : run.view.explanations.get(text);
  const { description } = run;
  const [found, setFound] = useState<{ text: string; answer: Answer } | null>(null);
  useEffect(() => {
    if (text === null || known) return;
    if (text === '' || description === null) {
      const error =
        text === '' ? 'the text is empty' : 'run.json is missing: the model of this run is not known';
      setFound({ text, answer: { state: 'failed', error } });
      return;
    }
    let wanted = true;
    viewer.host.explain.ask(description, text, (answer) => {
      if (wanted) setFound({ text, answer });
    });
    return () => {
      wanted = false;
    };
  }, [viewer, description, text, known]);
  const ready = useMemo(
    (): Answer | null => (known ? { state: 'explained', explanation: known, milliseconds: 0 } : null),
    [known],
  );
  if (text === null) return null;
  return ready ?? (found?.text === text ? found.answer : SCORING);
}

/** Loads things by key; what was loaded stays, at most `KEPT` of them. */
const KEPT = 300;
const loaded = new Map<string, unknown>();

/**
 * What `load` gives for each key, as far as it is there; null before, and for what failed.
 *
 * @param keys - name what is loaded and how
 */
export function useLoaded<T>(keys: readonly string[], load: (index: number) => Promise<T>): (T | null)[] {
  const [, redraw] = useState(0);
  const shown = useRef(true);
  useEffect(() => {
    shown.current = true;
    return () => {
      shown.current = false;
    };
  }, []);
  const all = keys.join('\n');
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => {
    for (const [index, key] of (all === '' ? [] : all.split('\n')).entries()) {
      if (loaded.has(key)) continue;
      loaded.set(key, null);
      for (const old of loaded.keys()) if (loaded.size > KEPT) loaded.delete(old);
      const loading = async () => loader.current(index);
      loading().then(
        (value) => {
          loaded.set(key, value);
          // Also when other keys have come since: this one may be among them.
          if (shown.current) redraw((count) => count + 1);
        },
        () => undefined,
      );
    }
  }, [all]);
  return keys.map((key) => (loaded.get(key) as T | undefined) ?? null);
}

/** Bytes of a frame that are read. */
const LARGEST_FRAME = 64 * 1024 ** 2;

/** A frame's bytes. Throws UserError when it is not a file of the run's folder. */
export function readFrame(source: RunSource, file: string): Uint8Array {
  return readRegularFile(runFile(source.path, file), LARGEST_FRAME);
}

/** How a screen takes part in what keys do. */
export interface KeyHandling {
  readonly viewer: ViewerState;
  readonly ui: Ui;
  readonly setUi: (change: (ui: Ui) => Ui) => void;
  readonly place: PlaceKind;
  readonly facts: Facts;
  /** The run on the screen. */
  readonly source?: RunSource;
  /** One sentence on the state, for users who cannot see the screen. */
  readonly status: () => string;
}

/** Does what the table of keys says. */
export function useKeys({ viewer, setUi, place, facts, source, status }: KeyHandling): void {
  const { host } = viewer;
  const typing = place === 'filter' || place === 'edit';
  const act = (name: string, input: string) => {
    const command = commandFor(place, name);
    const notice = (text: string) => setUi((ui) => ({ ...ui, notice: text }));
    switch (command) {
      case null:
        if (typing && input !== '') setUi((ui) => insert(ui, input));
        return;
      case 'quit':
      case 'interrupt':
        return host.leave(command);
      case 'suspend':
        return host.suspend();
      case 'status':
        return notice(status());
      case 'stop':
        if (!source?.stop) return notice('only a run that was started with --tui can be stopped from here');
        source.stop();
        return notice('stopping after this step; what was found is kept');
      case 'open':
        try {
          if (facts.chosen && facts.chosen.text === null) viewer.open(facts.chosen.path);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          return notice(error.message);
        }
        break;
    }
    setUi((ui) => press(ui, command, facts));
  };
  viewer.act = act;
  useInput((input: string, key: Key) => {
    const name = keyName(input, key);
    // A fast typist's keys come together; a paste is one piece of text.
    if (!typing && input.length > 1 && name === input)
      for (const one of input) viewer.press(keyName(one, {}), one);
    else viewer.press(name, key.ctrl || (key.meta && !key.escape) ? '' : input);
  });
}
