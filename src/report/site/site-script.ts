/**
 * @file The scripts of a site. The index is filled from `data/index.js`, which sets `atlas`; its search loads
 * `data/texts-….js` when it is first used, each of which calls `atlasTexts`.
 */
import { COLOR_STEPS } from '../palette.js';

/** Steps to the neighbours of a page. */
export const navigationScript = `
document.addEventListener('keydown', (event) => {
  if (event.target.closest('input') || event.ctrlKey || event.altKey || event.metaKey) return;
  const rel = { n: 'next', p: 'prev', i: 'up' }[event.key];
  const link = rel && document.querySelector('nav.site a[rel=' + rel + ']');
  if (link) { event.preventDefault(); link.click(); }
});
`;

export const siteScript = `
if (typeof atlas !== 'undefined') showAtlas(atlas);

function showAtlas(atlas) {
  const ROWS = 100, CELLS = 20000, RESULTS = 200;
  const { units, pages, layers } = atlas;
  const get = (id) => document.getElementById(id);
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
  const figure = (value, digits = 2) => value === null || value === undefined ? '–' : value.toFixed(digits).replace('-', '−');
  const link = (i) => '<a href="units/' + escape(pages[i]) + '">' + escape(units[i]) + '</a>';
  const digits = { z: 2, margin: 2, entropy: 2, hypervolume: 1, texts: 0 };

  // -- map
  const rows = new Map();
  units.forEach((_, i) => {
    if (i >= CELLS) return;
    const key = layers[i];
    if (!rows.has(key)) rows.set(key, []);
    rows.get(key).push(i);
  });
  const cell = (i, small) =>
    '<a tabindex="-1" data-i="' + i + '" href="units/' + escape(pages[i]) + '">' +
    (small ? '' : escape(atlas.indices[i])) + '</a>';
  get('grid').innerHTML = [...rows].map(([layer, all]) => {
    const small = all.length > 64;
    return '<div class="layer"><span>' + (layer === null ? 'units' : 'layer ' + layer) + '</span><div class="cells' +
      (small ? ' small' : '') + '">' + all.map((i) => cell(i, small)).join('') + '</div></div>';
  }).join('') + (units.length > CELLS ? '<p>The first ' + CELLS + ' units are drawn; the table has all.</p>' : '');
  const cells = [...get('grid').querySelectorAll('a')];
  if (cells[0]) cells[0].tabIndex = 0;
  function colour(key) {
    const known = atlas[key].filter((value) => value !== null);
    const least = known.reduce((a, b) => Math.min(a, b), Infinity), most = known.reduce((a, b) => Math.max(a, b), -Infinity);
    get('least').textContent = known.length ? figure(least, digits[key]) : '';
    get('most').textContent = known.length ? figure(most, digits[key]) : '';
    for (const one of cells) {
      const i = Number(one.dataset.i), value = atlas[key][i];
      one.className = value === null ? 'none' : 'z' + Math.round(${COLOR_STEPS} * (value - least) / (most - least || 1));
      one.dataset.tip = units[i] + ': ' + key + ' ' + figure(value, digits[key]) + '\\n' + (atlas.text[i] ?? '');
      one.setAttribute('aria-label', (one.textContent && one.textContent + ': ') + units[i] + ', ' + key + ' ' + figure(value, digits[key]));
    }
  }
  for (const radio of document.querySelectorAll('#colours input')) {
    const known = atlas[radio.value].some((value) => value !== null);
    radio.parentElement.hidden = !known;
    radio.addEventListener('change', () => colour(radio.value));
  }
  get('colour-0').checked = true;
  colour('z');
  get('grid').addEventListener('keydown', (event) => {
    const at = cells.indexOf(event.target);
    if (at < 0) return;
    const beside = (step) => {
      const own = event.target.parentElement, other = step > 0 ? own.parentElement.nextElementSibling : own.parentElement.previousElementSibling;
      const list = other && other.querySelectorAll('a');
      return list && list.length ? list[Math.min([...own.children].indexOf(event.target), list.length - 1)] : undefined;
    };
    const next = { ArrowRight: cells[at + 1], ArrowLeft: cells[at - 1] }[event.key] ??
      (event.key === 'ArrowDown' ? beside(1) : event.key === 'ArrowUp' ? beside(-1) : undefined);
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  // -- table
  let sorted = { key: 'unit', down: false }, chosen = [], drawn = 0;
  const body = get('rows'), more = get('more');
  function order() {
    const wanted = get('filter').value.trim().toLowerCase();
    chosen = [];
    for (let i = 0; i < units.length; i++)
      if (!wanted || units[i].toLowerCase().includes(wanted) || (atlas.text[i] ?? '').toLowerCase().includes(wanted)) chosen.push(i);
    const { key, down } = sorted;
    if (key !== 'unit') {
      const values = atlas[key];
      chosen.sort((a, b) => (values[a] === null) - (values[b] === null) || (down ? values[b] - values[a] : values[a] - values[b]) || a - b);
    } else if (down) chosen.reverse();
    get('shown').textContent = wanted ? chosen.length + ' of ' + units.length : '';
    body.textContent = '';
    drawn = 0;
    draw();
  }
  function draw() {
    const part = chosen.slice(drawn, drawn + ROWS);
    drawn += part.length;
    body.insertAdjacentHTML('beforeend', part.map((i) => '<tr><th scope="row">' + link(i) + '</th>' +
      Object.keys(digits).map((key) => '<td>' + figure(atlas[key][i], digits[key]) + '</td>').join('') +
      '<td class="text">' + escape(atlas.text[i] ?? '') + '</td></tr>').join(''));
    more.hidden = drawn >= chosen.length;
  }
  const heads = [...document.querySelectorAll('th[data-key]')];
  function sortBy(key, down) {
    sorted = { key, down };
    for (const head of heads)
      if (head.dataset.key === key) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    order();
  }
  for (const head of heads)
    head.firstElementChild.addEventListener('click', () => {
      const { key } = head.dataset;
      sortBy(key, sorted.key === key ? !sorted.down : key !== 'unit');
    });
  more.addEventListener('click', draw);
  get('filter').addEventListener('input', order);
  sortBy('unit', false);

  // -- search
  let texts = null, waiting = 0;
  const all = [];
  globalThis.atlasTexts = (rows) => { for (const row of rows) all.push(row); };
  const load = (file) => new Promise((done) => {
    const script = document.createElement('script');
    script.src = file;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
  async function search() {
    const wanted = get('query').value.trim().toLowerCase(), turn = ++waiting;
    if (!wanted) { get('found').textContent = ''; get('results').textContent = ''; return; }
    if (!texts) { get('found').textContent = 'loading'; texts = Promise.all(atlas.files.map(load)); }
    await texts;
    if (turn !== waiting) return;
    const hits = all.filter((row) => row[3].toLowerCase().includes(wanted)).sort((a, b) => b[1] - a[1]);
    get('found').textContent = hits.length + (hits.length === 1 ? ' text' : ' texts') + (hits.length > RESULTS ? ', the strongest ' + RESULTS + ' shown' : '');
    get('results').innerHTML = hits.slice(0, RESULTS).map(([i, z, nats, text]) => '<li>' + link(i) + ' z ' + figure(z) + ' at ' +
      figure(nats) + ' nats: <span class="text">' + escape(text) + '</span></li>').join('');
  }
  get('query').addEventListener('input', search);
  document.addEventListener('keydown', (event) => {
    if (event.target.closest('input') || event.ctrlKey || event.altKey || event.metaKey) return;
    const field = { '/': 'filter', s: 'query' }[event.key];
    if (field) { event.preventDefault(); get(field).focus(); }
  });
}
`;
