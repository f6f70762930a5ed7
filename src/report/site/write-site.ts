/** @file The site of an atlas: an index and one page per unit, in a folder that is opened from disk or served. */
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import { isFluent, strongestOf } from '../../core/frontier.js';
import { visible } from '../../core/visible.js';
import { makeFolder, writeFileByRename } from '../../runs/files.js';
import { jsonField } from '../../runs/run-view.js';
import type { AtlasUnit } from '../../text/atlas/atlas-unit.js';
import { openRun, unitLabel } from '../reported-run.js';
import { pageScript } from '../script.js';
import { pageStyle } from '../style.js';
import { PageNames } from './page-names.js';
import { atlasFiles, readUnits } from './read-atlas.js';
import { siteIndex } from './site-index.js';
import { navigationScript, siteScript } from './site-script.js';
import { siteStyle } from './site-style.js';
import { type Neighbour, unitPage } from './unit-page.js';

/** Texts in one file of the search. */
const TEXTS_A_FILE = 20_000;

/**
 * Writes the site of an atlas's run.
 *
 * @param folder - default: `site` in the run folder
 * @returns its index
 * @throws UserError when the run has no atlas, or the folder cannot be written
 */
export function writeSite(run: string, folder = join(run, 'site')): string {
  const root = resolve(folder);
  const write = (name: string, content: string) => writeFileByRename(join(root, name), content);
  for (const name of ['units', 'data']) makeFolder(join(root, name));
  write('site.css', pageStyle + siteStyle);
  write('site.js', pageScript + navigationScript + siteScript);

  const { description, result, ...reported } = openRun(run);
  const model = description?.model?.name ?? 'a model';
  const index = new SiteData(write);
  let previous: Neighbour | null = null;
  let waiting: { unit: AtlasUnit; own: Neighbour; before: Neighbour | null } | null = null;
  const settle = (next: Neighbour | null) => {
    if (waiting === null) return;
    const { unit, own, before } = waiting;
    write(`units/${own.page}`, unitPage(unit, { model, previous: before, next }));
  };
  for (const file of atlasFiles(run))
    for (const unit of readUnits(run, file).units) {
      const own = { unit: unit.unit, page: index.add(unit) };
      settle(own);
      waiting = { unit, own, before: previous };
      previous = own;
    }
  settle(null);
  if (index.size === 0) throw new UserError(`${run} has no unit of an atlas that can be read`);
  index.finish();
  const figure = (value: unknown) => (typeof value === 'number' ? value : null);
  write(
    'index.html',
    siteIndex({
      model,
      asked: unitLabel({ description, result, ...reported }),
      units: index.size,
      texts: index.texts,
      evaluations: figure(jsonField(jsonField(result, 'cost'), 'evaluations')),
      hypervolume: figure(jsonField(result, 'hypervolume')),
    }),
  );
  return join(root, 'index.html');
}

/** What the index and its search load: `data/index.js` and `data/texts-0.js` … */
class SiteData {
  texts = 0;
  private readonly columns = {
    units: [] as string[],
    pages: [] as string[],
    layers: [] as (number | null)[],
    indices: [] as number[],
    text: [] as (string | null)[],
    z: [] as (number | null)[],
    margin: [] as (number | null)[],
    entropy: [] as (number | null)[],
    hypervolume: [] as number[],
  };
  private readonly counts: number[] = [];
  private readonly names = new PageNames();
  private readonly files: string[] = [];
  private rows: [unit: number, z: number, nats: number, text: string][] = [];

  constructor(private readonly write: (name: string, content: string) => void) {}

  get size(): number {
    return this.columns.units.length;
  }

  /** @returns the name of the unit's page */
  add({ unit, layer, index, hypervolume, frontier, head }: AtlasUnit): string {
    const { columns } = this;
    const number = this.size;
    const page = `${this.names.of(unit)}.html`;
    const fluent = frontier.filter(isFluent);
    const strongest = strongestOf(fluent);
    const margins = fluent.flatMap(({ margin }) => margin ?? []);
    columns.units.push(visible(unit));
    columns.pages.push(page);
    columns.layers.push(layer);
    columns.indices.push(index);
    columns.text.push(strongest && visible(strongest.text));
    columns.z.push(strongest && short(strongest.z));
    columns.margin.push(margins.length === 0 ? null : short(margins.reduce((a, b) => Math.max(a, b))));
    columns.entropy.push(head && short(head.entropy));
    columns.hypervolume.push(short(hypervolume));
    this.counts.push(frontier.length);
    this.texts += frontier.length;
    for (const { z, cross_entropy, text } of frontier)
      this.rows.push([number, short(z), short(cross_entropy), visible(text)]);
    if (this.rows.length >= TEXTS_A_FILE) this.flush();
    return page;
  }

  finish(): void {
    this.flush();
    const { columns, counts: texts, files } = this;
    this.write('data/index.js', `var atlas = ${JSON.stringify({ ...columns, texts, files })};\n`);
  }

  private flush(): void {
    const name = `data/texts-${this.files.length}.js`;
    this.write(name, `atlasTexts(${JSON.stringify(this.rows)});\n`);
    this.files.push(name);
    this.rows = [];
  }
}

const short = (value: number): number => Number(value.toFixed(3));
