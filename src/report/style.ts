/** @file The style sheets of pages and of figures by themselves. */
import { paletteRules } from './palette.js';

/** Strokes and fills of figures, in the colours that a theme names. */
const figureRules = `
.figure{display:block;width:100%;height:auto;font:12px system-ui,sans-serif}
.figure text{fill:var(--dim);stroke:none}
.grid{stroke:var(--line);fill:none}.axis{stroke:var(--dim);fill:none}
.beyond{fill:var(--shade)}
.beaten{fill:var(--dim);opacity:.45}
.front{fill:none;stroke:var(--accent);stroke-width:1.5}
.point circle{fill:var(--page);stroke:var(--accent);stroke-width:1.6}
.point.selective circle{fill:var(--accent)}
.point.baseline path{fill:var(--second);stroke:var(--page)}
.curve{fill:none;stroke-width:1.8}
.c0{stroke:var(--accent)}.c1{stroke:var(--second)}.c2{stroke:var(--third)}.c3{stroke:var(--dim)}
`;

type Colours = Readonly<Record<string, string>>;

const light: Colours = {
  page: '#fdfcfa',
  ink: '#1c1c1f',
  dim: '#5b5b63',
  line: '#dedcd6',
  shade: '#efede7',
  panel: '#f6f5f2',
  link: '#0b57a4',
  accent: '#1f6fb2',
  second: '#c2570c',
  third: '#1b7a6b',
  bar: '#cfe1f2',
  below: '#eed8c6',
};
const dark: Colours = {
  page: '#17181c',
  ink: '#e9e8e6',
  dim: '#a9a9b3',
  line: '#34363d',
  shade: '#22242a',
  panel: '#1f2126',
  link: '#8fc1f0',
  accent: '#6fb1ec',
  second: '#f0a35e',
  third: '#5cc4b1',
  bar: '#274766',
  below: '#5a3d22',
};

function variables(colours: Colours): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');
}

/**
 * The style sheet of a figure that stands by itself, on white whatever the reader's theme. Colours are written out:
 * librsvg, which makes the PNG, knows no variables.
 */
export const figureStyle = figureRules
  .replace('system-ui,sans-serif', 'DejaVu Sans,Helvetica,Arial,sans-serif')
  .replace(/var\(--(\w+)\)/g, (_, name: string) => (name === 'page' ? '#fff' : light[name]!));

export const pageStyle = `
:root{color-scheme:light;${variables(light)}}
@media (prefers-color-scheme:dark){:root{color-scheme:dark;${variables(dark)}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem clamp(.8rem,3vw,2rem) 4rem;max-width:70rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:.6rem 0}
h2{font-size:1.25rem;margin:2.4rem 0 .6rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.6rem 0 .2rem}
a{color:var(--link)}
code,.text,.tokens,h3,.replacements code,.clusters a{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.92em}
p{margin:.4rem 0;max-width:44rem}
:focus-visible{outline:3px solid var(--second);outline-offset:2px}
.facts,.settings{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,13rem),1fr));gap:.4rem 1.2rem;margin:.6rem 0}
dt{color:var(--dim);font-size:.85rem}dd{margin:0}
.notes{background:var(--panel);border-left:4px solid var(--second);margin:1rem 0;padding:.6rem 1rem .6rem 2rem}
.plot{max-width:48rem}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding:.4rem 0}
th,td{overflow-wrap:normal;white-space:nowrap;padding:.15rem .6rem .15rem 0;text-align:right;vertical-align:baseline;font-weight:normal}
thead th{color:var(--dim);font-size:.85rem;border-bottom:1px solid var(--line)}
th[scope=row],td.text,.texts th:last-child,td.replacements,.by-token th:last-child,th[scope=rowgroup],.plain th:first-child,.index th,.index td{text-align:left}
th[scope=rowgroup]{color:var(--dim);padding-top:.8rem}
td.text{min-width:16rem}
.texts .text,h3,.clusters a,code{white-space:pre-wrap;overflow-wrap:anywhere}
.by-token th:first-child{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.92em;text-align:left;white-space:pre}
.scroll.tall{max-height:28rem;overflow-y:auto}
tr:target{background:var(--bar)}
td.bar{min-width:5.5rem;background:linear-gradient(to left,var(--bar) var(--share,0%),transparent 0)}
td.bar.below{background:linear-gradient(to left,var(--below) var(--share,0%),transparent 0)}
tr.own th{font-weight:bold}
.plain th,.bars th{white-space:normal;overflow-wrap:anywhere}
.columns{display:flex;flex-wrap:wrap;gap:.4rem 3rem}
.switch{border:0;padding:0;margin:.6rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
.switch legend{float:left;padding:0 1rem 0 0}
.switch label{padding:.2rem 0}
.scale{font-size:.85rem;color:var(--dim)}
.scale i{display:inline-block;width:1.1rem;height:.9rem;vertical-align:middle}
.scale.surprise,:root:has(#by-surprise:checked) .scale.strength{display:none}
:root:has(#by-surprise:checked) .scale.surprise{display:block}
.tokens{max-width:none;line-height:2.1;font-size:1.05rem}
.token{display:inline-block;max-width:100%;line-height:1.4;white-space:break-spaces;padding:.22em .1em;border-radius:2px;border-bottom:3px solid transparent}
.token.start{opacity:.75;font-size:.85em}
.token.peak{border-bottom-color:var(--ink)}
.peak-name{font-size:.75rem;color:var(--dim)}
.space{position:relative}
.space::after{content:"·";position:absolute;inset:0;text-align:center;opacity:.55}
.mark{font-style:italic}
.figures{color:var(--dim);font-size:.92rem}
.replacements span,.carriers span{white-space:nowrap;margin-right:.7em}
.clusters{padding-left:1.2rem}.clusters ul{padding-left:1rem;margin-bottom:1rem}
.carriers{font-weight:bold}
pre.command{background:var(--panel);padding:.7rem 1rem;white-space:pre-wrap}
summary{cursor:pointer;padding:.3rem 0}
figure{margin:0}figcaption{color:var(--dim);font-size:.85rem}
img{max-width:100%;height:auto;image-rendering:auto}
.film{display:flex;gap:.6rem;list-style:none;padding:0}
.index img,.index svg{display:block;width:9rem}
.index th,.index td{vertical-align:middle}.index .text{white-space:pre-wrap}
#tip{position:fixed;z-index:9;max-width:min(26rem,90vw);pointer-events:none;white-space:pre-wrap;background:var(--ink);color:var(--page);
padding:.35rem .6rem;border-radius:4px;font:.88rem/1.4 ui-monospace,monospace}
#tip[hidden]{display:none}
${figureRules}
a.point:hover circle,.point:focus-visible circle,.point:focus circle{r:7px}
${paletteRules('light')}
@media (prefers-color-scheme:dark){${paletteRules('dark')}}
@media print{.scroll{overflow:visible}#tip{display:none}}
`;
