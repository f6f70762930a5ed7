/** @file The frame of every screen: drawn lines, and the keys one needs most below them. */
import { Box, Text } from 'ink';
import { useLayoutEffect } from 'react';
import { visible } from '../../core/visible.js';
import { palette } from '../../media/color.js';
import { encodeLine, fitLine, type Line, lineWidth } from '../../media/styled.js';
import { drawHelp } from '../draw/help.js';
import { fitBlock } from '../draw/layout.js';
import { hintsOf, type PlaceKind } from '../keys.js';
import type { Ui } from '../places.js';
import type { ViewerState } from '../viewer-state.js';

export interface ScreenProps {
  readonly viewer: ViewerState;
  readonly ui: Ui;
  readonly place: PlaceKind;
  /** A run of this process is on the screen. */
  readonly live?: boolean;
  readonly columns: number;
  readonly rows: number;
  /** What fills the screen but its last line. */
  readonly lines: readonly Line[];
  /** The same in sentences, for a screen reader. */
  readonly sentences: () => readonly string[];
}

/** Rows below the lines of a screen: those of the keys. */
export const FOOTER_ROWS = 1;

export function Screen({ viewer, ui, place, live = false, columns, rows, lines, sentences }: ScreenProps) {
  const { linear } = viewer.host;
  const hints = hintsOf(place, live);
  if (linear) {
    const spoken = ui.help
      ? drawHelp(place, columns, rows).map((line) =>
          line
            .map(({ text }) => text)
            .join('')
            .trim(),
        )
      : sentences();
    return (
      <Box flexDirection="column">
        {[...spoken, ...(ui.notice === null ? [] : [ui.notice]), `keys: ${hints.join(', ')}`].map(
          (sentence, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: sentences have no other name, and none keeps a state
            <Text key={i}>{visible(sentence)}</Text>
          ),
        )}
      </Box>
    );
  }
  const body = ui.help ? drawHelp(place, columns, rows - FOOTER_ROWS) : lines;
  return (
    <Drawn
      viewer={viewer}
      lines={[...fitBlock(body, columns, rows - FOOTER_ROWS), footer(hints, ui.notice, columns)]}
    />
  );
}

/** Lines on the terminal, past Ink's layout (see `ScreenBuffer`). */
function Drawn({ viewer: { host }, lines }: { viewer: ViewerState; lines: readonly Line[] }) {
  useLayoutEffect(() => host.screen.show(lines.map((line) => encodeLine(line, host.depth))));
  return null;
}

/** As many hints as there is room for. */
function footer(hints: readonly string[], notice: string | null, columns: number): Line {
  if (notice !== null) return fitLine([{ text: notice, color: palette.caution }], columns);
  let line: Line = [];
  // The last two, help and leave, are always there.
  const last: Line = hints.slice(-2).flatMap((hint) => drawHint(hint));
  for (const hint of hints.slice(0, -2)) {
    const longer = [...line, ...drawHint(hint)];
    if (lineWidth(longer) + lineWidth(last) <= columns) line = longer;
  }
  return fitLine([...line, ...last], columns);
}

function drawHint(hint: string): Line {
  const [key, ...words] = hint.split(' ');
  return [
    { text: key!, bold: true },
    { text: ` ${words.join(' ')}   `, color: palette.muted },
  ];
}
