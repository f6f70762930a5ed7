/** @file An image run: the picture, its curve, its frames. */
import { useEffect, useMemo, useRef } from 'react';
import type { Line } from '../../media/styled.js';
import { halfBlocks, type PictureBox, pictureCode, readBlocks } from '../../media/terminal-picture.js';
import { drawImageRun, imageHead, imageLayout, stripFrames, thumbnailBox } from '../draw/image-run.js';
import { readFrame, useClock, useKeys, useLoaded } from '../hooks.js';
import { type RunPlace, shownPlace } from '../places.js';
import { describeProgress, describeState } from '../plain-text.js';
import type { Overlay } from '../screen.js';
import type { RunProps } from './props.js';
import { FOOTER_ROWS, Screen } from './Screen.js';

/** Milliseconds a frame is shown while they play. */
const FRAME_TIME = 120;
const NOTHING: readonly Line[] = [];

export function ImageRunScreen(props: RunProps<RunPlace>) {
  const { viewer, ui, setUi, place, source, snapshot, columns, rows } = props;
  const { depth, graphics, screen, linear } = viewer.host;
  const { frames } = snapshot.view;
  const frame = Math.max(0, Math.min(place.frame ?? frames.length - 1, frames.length - 1));
  const bodyRows = rows - FOOTER_ROWS;
  const head = useMemo(() => imageHead(snapshot, columns).length, [snapshot, columns]);
  const layout = useMemo(() => imageLayout(columns, bodyRows, head), [columns, bodyRows, head]);
  const seen = useMemo(() => stripFrames(frames.length, frame, columns), [frames.length, frame, columns]);

  usePlayback(place.playing, frames.length, setUi);

  const file = frames[frame] && !linear ? frames[frame].file : null;
  const box: PictureBox = layout.picture;
  const blocks = async (name: string, size: PictureBox) =>
    halfBlocks(await readBlocks(readFrame(source, name), size), depth);
  const drawn = graphics === 'blocks' || ui.help;
  const [picture] = useLoaded<readonly Line[]>(
    file && drawn ? [`${source.path} ${file} ${box.columns}x${box.rows} ${depth}`] : [],
    () => blocks(file!, box),
  );
  // While the next frame is read the last one stays.
  const last = useRef<readonly Line[]>(NOTHING);
  if (picture) last.current = picture;
  const thumbnails = useLoaded<readonly Line[]>(
    linear ? [] : seen.map((index) => `${source.path} ${frames[index]!.file} small ${depth}`),
    (i) => blocks(frames[seen[i]!]!.file, thumbnailBox),
  );

  const [code] = useLoaded<{ code: string; rows: number }>(
    file && !drawn ? [`${source.path} ${file} ${box.columns}x${box.rows} ${graphics}`] : [],
    async () => pictureCode(readFrame(source, file!), box, graphics as Exclude<typeof graphics, 'blocks'>),
  );
  useOverlay(screen, code, layout.picture);

  useKeys({
    viewer,
    ui,
    setUi,
    source,
    place: 'image',
    facts: { count: frames.length, page: 10, chosen: null, at: frame, neighbours: [null, null] },
    status: () => `${describeState(snapshot)}. ${describeProgress(snapshot)}`,
  });
  const shownPicture = drawn ? last.current : NOTHING;
  const present = thumbnails.filter(Boolean).length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `present` tells when a thumbnail has been read
  const drawing = useMemo(
    () =>
      drawImageRun({
        snapshot,
        frame,
        playing: place.playing,
        picture: shownPicture,
        strip: seen.map((index, i) => ({ frame: index, lines: thumbnails[i] ?? [] })),
        columns,
        rows: bodyRows,
      }),
    [snapshot, frame, place.playing, shownPicture, seen, present, columns, bodyRows],
  );
  const lines = useClock(drawing, source, snapshot, columns);
  return (
    <Screen
      {...{ viewer, ui, place: 'image', columns, rows, lines, live: source.stop !== null }}
      sentences={() => [
        describeState(snapshot),
        ...snapshot.missing.map(({ sentence }) => sentence),
        frames[frame]
          ? `frame ${frame + 1} of ${frames.length}: step ${frames[frame].step}, activation ${frames[frame].activation.toPrecision(4)}, ${frames[frame].file}`
          : 'no frames yet',
      ]}
    />
  );
}

/** While frames play, shows one after the other. */
function usePlayback(playing: boolean, count: number, setUi: RunProps<RunPlace>['setUi']): void {
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => setUi((now) => nextFrame(now, count)), FRAME_TIME);
    return () => clearInterval(timer);
  }, [playing, count, setUi]);
}

/** Keeps a picture of the terminal's own graphics on the screen. */
function useOverlay(
  screen: RunProps<RunPlace>['viewer']['host']['screen'],
  code: Pick<Overlay, 'code' | 'rows'> | null | undefined,
  { row, column }: Pick<Overlay, 'row' | 'column'>,
): void {
  useEffect(() => {
    if (!code) return;
    screen.setOverlays([{ ...code, row, column }]);
    return () => screen.setOverlays([]);
  }, [screen, code, row, column]);
}

/** The next frame of the run on top, from the start again after the last. */
function nextFrame<U extends Parameters<typeof shownPlace>[0]>(ui: U, count: number): U {
  const place = shownPlace(ui);
  if (place.kind !== 'run' || count === 0) return ui;
  const frame = ((place.frame ?? count - 1) + 1) % count;
  return { ...ui, places: [...ui.places.slice(0, -1), { ...place, frame }] };
}
