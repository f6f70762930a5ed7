/** @file A terminal's screen as a drawing: its cells with their colours; blocks and braille dots as shapes. */
import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL = { width: 9, height: 19, font: 15, baseline: 14.5 } as const;
const PADDING = 10;
const COLORS = { foreground: '#d8d8d8', background: '#16181d' } as const;

/** The visible screen as SVG, text in a monospaced font. Colours are those of a terminal with all of them. */
export function terminalSvg(terminal: Terminal): string {
  const { cols, rows, buffer } = terminal;
  const width = cols * CELL.width + 2 * PADDING;
  const height = rows * CELL.height + 2 * PADDING;
  const shapes: string[] = [];
  for (let row = 0; row < rows; row++) {
    const line = buffer.active.getLine(buffer.active.baseY + row);
    for (let column = 0; column < cols; column++) {
      const cell = line?.getCell(column);
      if (cell) shapes.push(drawCell(cell, PADDING + column * CELL.width, PADDING + row * CELL.height));
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<style>text{font:${CELL.font}px "DejaVu Sans Mono",monospace;white-space:pre}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${COLORS.background}"/>`,
    ...shapes.filter(Boolean),
    '</svg>',
  ].join('\n');
}

function drawCell(cell: IBufferCell, x: number, y: number): string {
  const swap = cell.isInverse() !== 0;
  const colors = [
    cell.isFgRGB() ? hex(cell.getFgColor()) : COLORS.foreground,
    cell.isBgRGB() ? hex(cell.getBgColor()) : null,
  ] as const;
  const ink = swap ? (colors[1] ?? COLORS.background) : colors[0];
  const paper = swap ? colors[0] : colors[1];
  const width = CELL.width * Math.max(1, cell.getWidth());
  const text = cell.getChars();
  return [
    paper && rect(x, y, width, CELL.height, paper),
    text.trim() && drawGlyph(text, x, y, ink, cell),
    cell.isUnderline() && rect(x, y + CELL.height - 2.5, width, 1.2, ink),
  ]
    .filter(Boolean)
    .join('');
}

/** Fonts leave gaps between blocks and draw braille each in its way: both are shapes here. */
function drawGlyph(text: string, x: number, y: number, ink: string, cell: IBufferCell): string {
  const code = text.codePointAt(0)!;
  const { width, height } = CELL;
  if (code === 0x2580) return rect(x, y, width, height / 2, ink);
  if (code === 0x2584) return rect(x, y + height / 2, width, height / 2, ink);
  // Full block, and from seven eighths to one.
  if (code >= 0x2588 && code <= 0x258f) return rect(x, y, (width * (0x2590 - code)) / 8, height, ink);
  if (code >= 0x2800 && code <= 0x28ff) return braille(code - 0x2800, x, y, ink);
  const bold = cell.isBold() ? ' font-weight="bold"' : '';
  const opacity = cell.isDim() ? ' opacity="0.6"' : '';
  return `<text x="${x}" y="${y + CELL.baseline}" fill="${ink}"${bold}${opacity}>${escapeXml(text)}</text>`;
}

function braille(bits: number, x: number, y: number, ink: string): string {
  const order = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
  return order
    .map((bit, i) => {
      if (!(bits & bit)) return '';
      const cx = x + CELL.width * (0.25 + 0.5 * (i % 2));
      const cy = y + CELL.height * ((Math.floor(i / 2) + 0.5) / 4);
      return `<circle cx="${cx}" cy="${cy}" r="1.35" fill="${ink}"/>`;
    })
    .join('');
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" shape-rendering="crispEdges"/>`;
}

function hex(color: number): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
