/**
 * The idea in one picture, for the README: the frontier of a search beside samples of the model, a few texts named.
 *
 *   npx tsx tools/frontier-picture.ts RUN [--out docs/images/frontier.svg] [--texts 4]
 *
 * RUN is the folder of a run of `superstim text`; the picture shows `--unit L2.H5 --evaluations 40000`.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { curveStepAfter, line } from 'd3-shape';
import { fluencyFront, HYPERVOLUME_CORNER } from '../src/core/frontier.js';
import type { ScoredText } from '../src/core/scored-text.js';
import { visible } from '../src/core/visible.js';
import { plotArea, roundPixel } from '../src/report/figures/axes.js';
import { html, trusted } from '../src/report/html.js';
import { unitOf } from '../src/runs/description.js';
import { readRun } from '../src/runs/read-run.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'docs/images/frontier.svg' },
    texts: { type: 'string', default: '4' },
  },
});
const WIDTH = 760;
const HEIGHT = 360;
/** Between two lines of text, pixels. */
const LEADING = 24;

const run = readRun(positionals[0]!);
if (!run.frontier) throw new Error(`${positionals[0]} has no frontier: the run has not finished`);
const front = fluencyFront(run.frontier).filter(
  ({ cross_entropy }) => cross_entropy <= HYPERVOLUME_CORNER.crossEntropy,
);
const samples = run.events.flatMap((event) =>
  event.kind === 'candidate' &&
  event.source === 'prior_best' &&
  event.candidate.cross_entropy <= HYPERVOLUME_CORNER.crossEntropy
    ? [event.candidate]
    : [],
);
const unit = (run.description && unitOf(run.description)) ?? 'the unit';
const { x, y, axes } = plotArea(
  WIDTH,
  HEIGHT,
  {
    title: 'nats a token: less is more probable',
    from: 0,
    to: HYPERVOLUME_CORNER.crossEntropy,
  },
  { title: `z of ${unit}: more is stronger`, from: 0, to: Math.max(...front.map(({ z }) => z)) },
);
const left = (text: ScoredText) => roundPixel(x(text.cross_entropy));
const top = (text: ScoredText) => roundPixel(y(text.z));
const floor = y(0);
const right = x(HYPERVOLUME_CORNER.crossEntropy);
const steps = `${line<ScoredText>(left, top).curve(curveStepAfter)(front)}H${right}`;

/** Texts at even distances along the frontier; the last names need room to the right. */
const count = Number(flags.texts);
const first = front[0]!.cross_entropy;
const named = Array.from({ length: count }, (_, i) => {
  const nats = first + (i / (count + 1)) * (HYPERVOLUME_CORNER.crossEntropy - first);
  return front.findLast(({ cross_entropy }) => cross_entropy <= nats)!;
});

/** Names stand under the curve, those of texts further left lower, so that no line crosses a name. */
const labels = [...new Set(named)].map((text, i) => {
  const baseline = floor - 14 - i * LEADING;
  return html`<path class="lead" d="M${left(text)} ${top(text) + 5}V${baseline - 4}h6"/>
<text class="name" x="${left(text) + 9}" y="${baseline}">${visible(text.text)}</text>`;
});

const style = `svg{font:12px system-ui,sans-serif;fill:#333}.grid{stroke:#e6e4df;fill:none}.axis{stroke:#888;fill:none}
.area{fill:#e0821422}.front{stroke:#e08214;stroke-width:2;fill:none}.point{fill:#e08214}.sample{fill:#8a8a8a}
.lead{stroke:#999;fill:none}.name{font:12px ui-monospace,monospace;paint-order:stroke;stroke:#faf0e3;stroke-width:4px}`;
const key = html`<circle class="point" r="4" cx="66" cy="16"/><text x="76" y="20">found by the search</text>
<circle class="sample" r="3" cx="216" cy="16"/><text x="226" y="20">best samples of the model, at equal cost</text>`;
const figure = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Frontier of ${unit}: z against nats a token, above the best samples of the model">
<style>${trusted(style)}</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${axes}
<path class="area" d="${trusted(`${steps}V${floor}H${left(front[0]!)}Z`)}"/>
<path class="front" d="${trusted(steps)}"/>
${samples.map((text) => html`<circle class="sample" r="3" cx="${left(text)}" cy="${top(text)}"/>`)}
${front.map((text) => html`<circle class="point" r="4" cx="${left(text)}" cy="${top(text)}"/>`)}
${labels}
${key}
</svg>`;
writeFileSync(flags.out, `${figure.markup}\n`);
