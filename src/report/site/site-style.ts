/** @file What pages of a site need beside the style of a report's. */
export const siteStyle = `
h1 small{font-size:1rem;font-weight:normal;color:var(--dim)}
nav.site{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.95rem}
.keys{color:var(--dim);font-size:.85rem}
kbd{font:inherit;border:1px solid var(--line);border-radius:3px;padding:0 .3em}
.token.start{opacity:1}
.layer{display:grid;grid-template-columns:3.2rem 1fr;gap:.2rem;align-items:start;margin:.15rem 0}
.layer>span{color:var(--dim);font-size:.85rem;padding:.15rem 0}
.cells{display:flex;flex-wrap:wrap;gap:2px}
.cells a{display:block;min-width:2.2rem;padding:.15rem .1rem;text-align:center;text-decoration:none;font-size:.85rem;border-radius:2px}
.cells.small a{min-width:0;width:.85rem;height:.85rem;padding:0}
.cells a:hover,.cells a:focus-visible{outline:2px solid var(--second);outline-offset:1px}
.cells a.none{background:var(--shade);color:var(--ink)}
input[type=search]{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--dim);border-radius:3px;padding:.2rem .5rem;max-width:100%;width:20rem}
button{font:inherit;color:var(--link);background:none;border:0;padding:.1rem 0;cursor:pointer}
#more{border:1px solid var(--dim);border-radius:3px;padding:.2rem .8rem}
th[aria-sort=ascending] button::after{content:" ▲"}th[aria-sort=descending] button::after{content:" ▼"}
table.units th:first-child,table.units td:last-child,table.units th:last-child{text-align:left}
.results,.examples{padding-left:1.2rem}
.results li,.examples li{margin:.35rem 0}
.examples .tokens{display:block;line-height:1.9;font-size:1rem}
.results .text{white-space:pre-wrap}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(8rem,1fr));gap:.6rem;list-style:none;padding:0}
.pictures img{display:block;width:100%}
.pictures li{content-visibility:auto;contain-intrinsic-size:auto 11rem}
main>.final img{width:24rem;max-width:100%;height:auto}
`;
