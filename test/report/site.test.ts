/** The site of an atlas as a reader meets it: in a browser, from disk, with 5,000 units, by keyboard, on a phone. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/core/explanation.js';
import { writeSiteOf } from '../../src/report/site/site-of.js';
import { writeSite } from '../../src/report/site/write-site.js';
import { createRunFolder } from '../../src/runs/run-folder.js';
import type { AtlasFound, AtlasUnit } from '../../src/text/atlas/atlas-unit.js';
import { faultsOf, noChromium, openBrowser, openPage } from '../helpers/chromium.js';
import { renderedRun } from '../helpers/rendered-run.js';

const found = (text: string, crossEntropy: number, z: number): AtlasFound => ({
  text,
  tokens: [...text],
  cross_entropy: crossEntropy,
  z,
  margin: z - 2,
  rank: 1,
  source: 'prior',
});

const explanation = (unit: string): Explanation => ({
  unit,
  text: 'ab<i>',
  tokens: ['<s>', 'a', 'b<i>'],
  token_ids: [0, 1, 2],
  logprobs: [null, -1, -2],
  raw: [0, 1, 2],
  z: [null, -1, 7],
  peak: { position: 2, raw: 2, z: 7 },
  score: 7,
  cross_entropy: 1.5,
  margin: 5,
  rank: 1,
  rivals: [{ unit: 'L0.H9', z: 2 }],
  ablation: null,
  attention: { weight: [0.2, 0.5, 0.3], contribution: [0.1, 1, 2] },
  logits: { top: [{ token: ' x', value: 2 }], bottom: [{ token: ' y', value: -2 }] },
  substitutions: [[], [{ token: 'c', value: 6 }], [{ token: 'd', value: 1 }]],
});

const unitOf = (layer: number, index: number): AtlasUnit => {
  const unit = `L${layer}.H${index}`;
  const isWhole = layer === 0 && index === 1;
  const z = 1 + ((layer * 7 + index * 13) % 50) / 5;
  return {
    unit,
    layer,
    index,
    hypervolume: 3 * z,
    mean: 1,
    standard_deviation: 2,
    frontier: [found('ab<i>', 1.5, z / 2), found(`text ${layer} ${index}`, 3, z), found('noise', 9, 2 * z)],
    explanations: isWhole ? [explanation(unit)] : [],
    clusters: isWhole
      ? [{ tokens: [{ token: 'b<i>', value: 6 }], texts: [{ text: 'ab<i>', cross_entropy: 1.5, z: 7 }] }]
      : [],
    examples: isWhole ? [{ ...found('nat', 4, 3), z_by_token: [1, 3, -2] }] : [],
    head: {
      self: 0.2,
      previous: 0.3,
      start: 0.1,
      induction: 0.05,
      entropy: index / 100,
      most_entropy: 3,
      distance: [0.2, 0.3, 0.1],
    },
  };
};

describe.skipIf(noChromium)('the site of an atlas (needs Chromium on PATH)', () => {
  const place = mkdtempSync(join(tmpdir(), 'superstim-site-'));
  const sites = new Map<number, string>();
  let browser: Browser;

  function makeSite(layers: number, heads: number): string {
    const folder = createRunFolder(place, {
      job: { task: 'atlas', units: ['L*.H*'] },
      command: [],
      versions: {},
      model: { name: 'a & b', hash: '' },
    });
    for (let layer = 0; layer < layers; layer++) {
      const lines = Array.from({ length: heads }, (_, i) => `${JSON.stringify(unitOf(layer, i))}\n`);
      folder.writeFile(`atlas/00000${layer}.jsonl`, lines.join(''));
    }
    folder.close();
    return writeSite(folder.path);
  }

  beforeAll(async () => {
    sites.set(24, makeSite(3, 8)).set(5000, makeSite(5, 1000));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(place, { recursive: true });
  });
  const open = (units: number, page = 'index', options?: Parameters<Browser['newPage']>[0]) =>
    openPage(browser, sites.get(units)!.replace(/index\.html$/, `${page}.html`), options);

  it.each(['index', 'units/L0.H1', 'units/L2.H7'])(
    '%s: no complaint, no serious fault, light and dark',
    async (name) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page, complaints } = await open(24, name, { colorScheme });
        expect(await faultsOf(page)).toEqual([]);
        expect(complaints).toEqual([]);
        await page.setViewportSize({ width: 360, height: 740 });
        const [content, window] = await page.evaluate<[number, number]>(
          '[document.documentElement.scrollWidth, innerWidth]',
        );
        expect(content).toBeLessThanOrEqual(window);
        await page.close();
      }
    },
  );

  it('sorts, filters, colours and searches 5,000 units, and opens one', async () => {
    const { page, complaints } = await open(5000);
    expect(readdirSync(join(sites.get(5000)!, '..', 'units'))).toHaveLength(5000);
    expect(await page.locator('#grid a').count()).toBe(5000);
    const first = () => page.locator('#rows tr').first();
    expect(await first().locator('th').textContent()).toBe('L0.H0');
    await page.getByRole('button', { name: 'z', exact: true }).click();
    expect(await first().locator('td').first().textContent()).toBe('10.80');
    expect(await page.locator('th[data-key=z]').getAttribute('aria-sort')).toBe('descending');
    await page.getByRole('button', { name: 'Show more' }).click();
    expect(await page.locator('#rows tr').count()).toBe(200);

    await page.keyboard.press('/');
    await page.keyboard.type('L3.H99');
    expect(await page.locator('#shown').textContent()).toBe('11 of 5000');
    const cell = page.locator('#grid a').nth(700);
    const colour = await cell.getAttribute('class');
    await page.getByLabel('entropy of attention').check();
    expect(await cell.getAttribute('class')).not.toBe(colour);
    expect(await cell.getAttribute('aria-label')).toBe('L0.H700, entropy 7.00');

    await page.getByRole('searchbox', { name: 'Text' }).fill('TEXT 4 321');
    await page.locator('#results a').first().waitFor();
    expect(await page.locator('#found').textContent()).toBe('1 text');
    await page.locator('#results a').first().click();
    // Its script, which hears keys, has run when it is loaded.
    await page.waitForURL(/L4\.H321/);
    expect(await page.locator('h1').textContent()).toContain('L4.H321');
    await page.keyboard.press('n');
    await page.waitForURL(/L4\.H322/);
    await page.keyboard.press('i');
    await page.waitForURL(/index/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows pictures: no complaint, no serious fault; filters, orders and opens them', async () => {
    const index = writeSiteOf(renderedRun(place, ['a:0', 'a:1', 'b:0', 'b:1']))!;
    const { page, complaints } = await openPage(browser, index);
    expect(await faultsOf(page)).toEqual([]);
    const shown = async () => {
      const items = await page.locator('ul.pictures > li:visible').all();
      return Promise.all(items.map((item) => item.getAttribute('data-unit')));
    };
    await page.getByLabel('activation').check();
    expect(await shown()).toEqual(['a:0', 'a:1', 'b:1', 'b:0']);
    await page.keyboard.press('/');
    await page.keyboard.type('b:');
    expect(await shown()).toEqual(['b:1', 'b:0']);
    await page.getByRole('link', { name: 'b:1' }).click();
    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press('p');
    await page.waitForURL(/b-0/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('steps through the map by arrow keys', async () => {
    const { page } = await open(24);
    await page.locator('#grid a').first().focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.locator('#tip').textContent()).toContain('L1.H2: z');
    await page.keyboard.press('Enter');
    await page.waitForURL(/L1\.H2\.html/);
    await page.close();
  });

  it('shows a unit with its evidence, and text as text', async () => {
    const { page } = await open(24, 'units/L0.H1');
    for (const heading of ['Frontier', 'What carries the texts', 'Texts, token by token', 'In the corpus'])
      expect(await page.getByRole('heading', { name: heading }).isVisible()).toBe(true);
    expect(await page.locator('h3').textContent()).toBe('ab<i>');
    expect(await page.getByText('Where the head looks').isVisible()).toBe(true);
    await page.close();
  });
});
