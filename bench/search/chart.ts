/** Mean hypervolume over time, a line a method, as SVG. */
import type { Recorded } from './record.js';

const [WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT, TOP] = [640, 400, 56, 40, 90, 30];
/** Least distance of two labels, in the units of the drawing. */
const LINE = 13;
/** Okabe and Ito's colours, which can be distinguished without red and green. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d31', '#000000'];

export function drawChart(runs: readonly Recorded[]): string {
  const methods = [...new Set(runs.map(({ method }) => method))];
  const end = Math.max(...runs.map(({ seconds }) => seconds));
  const start = end / 200;
  const moments = Array.from({ length: 120 }, (_, i) => start * (end / start) ** (i / 119));
  const lines = methods.map((method) => {
    const own = runs.filter((run) => run.method === method);
    return moments.map((at) => own.reduce((sum, run) => sum + areaAt(run, at), 0) / own.length);
  });
  const top = Math.max(...lines.flat()) * 1.05;
  const x = (at: number) => LEFT + (Math.log(at / start) / Math.log(end / start)) * (WIDTH - LEFT - RIGHT);
  const y = (area: number) => HEIGHT - BOTTOM - (area / top) * (HEIGHT - BOTTOM - TOP);
  // Labels at the ends of their lines, from the top down, each below the one before.
  const heights: number[] = [];
  const byEnd = [...lines.keys()].sort((a, b) => lines[b]!.at(-1)! - lines[a]!.at(-1)!);
  for (const [place, i] of byEnd.entries()) {
    const above = place === 0 ? 0 : heights[byEnd[place - 1]!]!;
    heights[i] = Math.max(y(lines[i]!.at(-1)!) + 4, above + LINE);
  }
  const paths = lines.map((line, i) => {
    const points = line.map((area, t) => `${x(moments[t]!).toFixed(1)},${y(area).toFixed(1)}`).join(' ');
    const label = `<text x="${x(end) + 6}" y="${heights[i]!.toFixed(1)}" fill="${COLOURS[i]}">${methods[i]}</text>`;
    return `<polyline points="${points}" fill="none" stroke="${COLOURS[i]}" stroke-width="2"/>${label}`;
  });
  const ticks = [1, 2, 5, 10, 20, 60, 120, 300]
    .filter((at) => at > start && at <= end)
    .map(
      (at) => `<text x="${x(at).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${at}</text>`,
    );
  const levels = [0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(top * share).toFixed(1);
    return (
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/>` +
      `<text x="${LEFT - 6}" y="${at}" text-anchor="end">${(top * share).toFixed(0)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<title>Mean hypervolume over time</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...levels,
    ...ticks,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">seconds</text>`,
    `<text x="12" y="8" dominant-baseline="hanging">hypervolume (nats x sigmas)</text>`,
    ...paths,
    '</svg>\n',
  ].join('\n');
}

function areaAt({ trajectory }: Recorded, seconds: number): number {
  return trajectory.findLast(([at]) => at <= seconds)?.[1] ?? 0;
}
