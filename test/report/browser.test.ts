/** The report as a reader meets it: in a browser, on a phone, by keyboard, with assistive technology. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../src/report/write-report.js';
import { faultsOf, noChromium, openBrowser, openPage } from '../helpers/chromium.js';
import { imageRun, scored, textRun, texts, tuneRun } from '../helpers/example-runs.js';

describe.skipIf(noChromium)('the report in a browser (needs Chromium on PATH)', () => {
  const place = mkdtempSync(join(tmpdir(), 'superstim-browser-'));
  const pages: Record<string, string> = {};
  let browser: Browser;

  beforeAll(async () => {
    const paths = [textRun(place), await imageRun(place), tuneRun(place)];
    const long = scored(`${'verylongwordwithoutanyspaces'.repeat(12)} end`, 5, 9);
    const wide = textRun(place, [...texts, long]);
    const { report, pages: written } = await writeReport([...paths, wide]);
    Object.assign(pages, {
      text: written[0],
      image: written[1],
      tune: written[2],
      wide: written[3],
      index: report,
    });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(place, { recursive: true });
  });

  const open = (name: string, options?: Parameters<Browser['newPage']>[0]) =>
    openPage(browser, pages[name]!, options);

  const names = ['text', 'image', 'tune', 'wide', 'index'];

  it.each(names)('%s: no complaint, no serious fault of accessibility, light and dark', async (name) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await open(name, { colorScheme });
      for (const summary of await page.locator('summary').all())
        if (!(await summary.locator('..').getAttribute('open'))) await summary.click();
      expect(await faultsOf(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it.each(names)('%s: a phone scrolls down only', async (name) => {
    const { page } = await open(name, { viewport: { width: 360, height: 740 } });
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(content).toBeLessThanOrEqual(window);
    await page.close();
  });

  it('shows the text of a point under the pointer', async () => {
    const { page } = await open('text');
    const tip = page.locator('#tip');
    expect(await tip.isVisible()).toBe(false);
    await page.locator('a.point').nth(2).hover();
    expect(await tip.textContent()).toContain('She said⏎⇥"Monday" twice');
    expect(await tip.textContent()).toContain('z 7.90 at 4.40 nats, margin 1.50, rank 1');
    await page.locator('h1').hover();
    expect(await tip.isVisible()).toBe(false);
    await page.locator('.token.peak').first().hover();
    expect(await tip.textContent()).toBe('z 3.20, ln p −4.00, the peak');
    await page.close();
  });

  it('steps through points by arrow keys, and follows one to its text', async () => {
    const { page } = await open('text');
    await page.locator('a.point').first().focus();
    expect(await page.locator('#tip').textContent()).toContain('the old man said');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#tip').textContent()).toContain('She said');
    await page.keyboard.press('Escape');
    expect(await page.locator('#tip').isVisible()).toBe(false);
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toBe('#text-2');
    expect(await page.locator('#text-2').isVisible()).toBe(true);
    await page.close();
  });

  it('colours tokens by log-probability on demand', async () => {
    const { page } = await open('text');
    const colour = () =>
      page.evaluate<string>("getComputedStyle(document.querySelector('.token.peak')).backgroundColor");
    const strength = await colour();
    await page.locator('#by-surprise').check();
    expect(await colour()).not.toBe(strength);
    await page.close();
  });

  it('opens the page of a run from the index', async () => {
    const { page } = await open('index');
    await page.getByRole('link', { name: 'block4_conv1:4' }).click();
    expect(await page.locator('h1').textContent()).toContain('block4_conv1:4');
    const width = await page.evaluate<number>("document.querySelector('figure.final img').naturalWidth");
    expect(width).toBe(32);
    await page.close();
  });
});
