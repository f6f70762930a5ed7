/** @file The screen of an image run: the picture, the curve of its activation, the frames as a film strip. */
import { evenIndices } from '../../core/evenly.js';
import { formatCount } from '../../core/format.js';
import { palette } from '../../media/color.js';
import { fitLine, type Line, plain } from '../../media/styled.js';
import type { PictureBox } from '../../media/terminal-picture.js';
import type { FrameEvent } from '../../runs/events.js';
import type { RunSnapshot } from '../run-source.js';
import { type Curve, drawCurve } from './curve.js';
import { beside, fitBlock, rule } from './layout.js';
import { drawProgress, drawTitle, drawTroubles } from './run-header.js';

/** Where everything goes, in characters; rows and columns from 0, within the screen's body. */
export interface ImageLayout {
  readonly picture: PictureBox & { readonly row: number; readonly column: number };
  readonly curve: PictureBox;
  readonly strip: PictureBox;
}

/** Columns and rows of a frame on the strip, and the columns between two. */
const THUMBNAIL = { columns: 10, rows: 5, gap: 1 } as const;

export function imageLayout(columns: number, rows: number, head: number): ImageLayout {
  const strip = rows >= 20 ? THUMBNAIL.rows + 1 : 0;
  const body = rows - head - strip;
  // Characters are about twice as tall as wide: a square picture has twice as many columns as rows.
  const pictureColumns = Math.min(Math.floor(columns * 0.6), 2 * body);
  return {
    picture: { row: head, column: 0, columns: pictureColumns, rows: body },
    curve: { columns: columns - pictureColumns - 2, rows: body },
    strip: { columns, rows: strip },
  };
}

/** Indices of the frames on the strip, evenly over the run, the chosen one always there. */
export function stripFrames(count: number, chosen: number, columns: number): number[] {
  const fit = Math.min(count, Math.floor((columns + THUMBNAIL.gap) / (THUMBNAIL.columns + THUMBNAIL.gap)));
  if (fit <= 1) return count === 0 ? [] : [chosen];
  const even = evenIndices(count, fit);
  if (even.includes(chosen)) return even;
  const nearest = even.reduce((a, b) => (Math.abs(b - chosen) < Math.abs(a - chosen) ? b : a));
  return even.map((index) => (index === nearest ? chosen : index));
}

export const thumbnailBox: PictureBox = { columns: THUMBNAIL.columns, rows: THUMBNAIL.rows - 1 };

export interface ImageScene {
  readonly snapshot: RunSnapshot;
  /** Index of the frame that is shown. */
  readonly frame: number;
  readonly playing: boolean;
  /** The picture in half blocks; empty where a protocol draws it. */
  readonly picture: readonly Line[];
  readonly strip: readonly { readonly frame: number; readonly lines: readonly Line[] }[];
  readonly columns: number;
  readonly rows: number;
}

/** Title, progress, troubles. */
export function imageHead(snapshot: RunSnapshot, columns: number): Line[] {
  return [
    drawTitle(snapshot, columns),
    drawProgress(snapshot, columns),
    ...drawTroubles(snapshot, columns, 2),
  ];
}

export function drawImageRun(scene: ImageScene): Line[] {
  const { snapshot, frame, columns, rows } = scene;
  const { frames } = snapshot.view;
  const head = imageHead(snapshot, columns);
  const layout = imageLayout(columns, rows, head.length);
  const shown = frames[frame];
  const left = fitBlock(
    shown ? scene.picture : [plain('no frames yet', { color: palette.muted })],
    layout.picture.columns,
    layout.picture.rows,
  );
  const { columns: curveColumns, rows: curveRows } = layout.curve;
  const caption = shown
    ? `frame ${frame + 1} of ${frames.length}${scene.playing ? ', playing' : ''}: step ${shown.step}, activation ${formatCount(shown.activation)}`
    : '';
  const right = fitBlock(
    [
      rule('activation over steps', curveColumns),
      ...drawCurve(
        '',
        activations(frames),
        palette.accent,
        curveColumns,
        Math.min(curveRows - 2, 30),
        shown?.step ?? null,
      ),
      fitLine(plain(caption, { color: palette.caution }), curveColumns),
    ],
    curveColumns,
    curveRows,
  );
  return [...head, ...beside([left, right]), ...fitBlock(drawStrip(scene), columns, layout.strip.rows)];
}

function activations(frames: readonly FrameEvent[]): Curve {
  return { steps: frames.map(({ step }) => step), values: frames.map(({ activation }) => activation) };
}

function drawStrip({ strip, frame, columns, snapshot }: ImageScene): Line[] {
  if (strip.length === 0) return [];
  const gap = ' '.repeat(THUMBNAIL.gap);
  const rows = Array.from({ length: thumbnailBox.rows }, (_, row) =>
    strip.flatMap(({ lines }, i) => [
      ...(i > 0 ? [{ text: gap }] : []),
      ...fitLine(lines[row] ?? [], thumbnailBox.columns),
    ]),
  );
  const captions = strip.flatMap(({ frame: index }, i) => [
    ...(i > 0 ? [{ text: gap }] : []),
    ...fitLine(
      plain(
        String(snapshot.view.frames[index]?.step ?? ''),
        index === frame ? { inverse: true } : { color: palette.muted },
      ),
      thumbnailBox.columns,
    ),
  ]);
  return [rule('frames, by step', columns), ...rows, captions];
}
