/** The site of a render: its pages from a run folder, whole or damaged. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { renderedRun } from '../../../test/helpers/rendered-run.js';
import { writeReport } from '../write-report.js';
import { showsSite, writeSiteOf } from './site-of.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-pictures-'));
afterAll(() => rmSync(place, { recursive: true }));

describe('the site of a render', () => {
  it('has one page per unit, in order, and no markup of theirs', async () => {
    const run = renderedRun(place, ['a:0', 'a:1', '<b>:2']);
    expect(showsSite(run)).toBe(false);
    const index = writeSiteOf(run)!;
    const html = readFileSync(index, 'utf8');
    expect(html.match(/data-unit="[^"]*"/g)).toEqual([
      'data-unit="a:0"',
      'data-unit="a:1"',
      'data-unit="&lt;b&gt;:2"',
    ]);
    expect(html.match(/<h2 /g)).toHaveLength(2);
    const page = readFileSync(join(run, 'site/units/a-1.html'), 'utf8');
    expect(page).toContain('<a rel="prev" href="a-0.html">');
    expect(page).toContain('src="../pictures/a-1.png"');
    expect(existsSync(join(run, 'site/pictures/a-1.png'))).toBe(true);
    // What was begun as a site is reported as one.
    expect((await writeReport([run])).report).toBe(index);
  });

  it('leaves out what has no picture, and says when nothing is left', () => {
    const run = renderedRun(place, ['a:0', 'a:1', 'a:2']);
    rmSync(join(run, 'pictures/000001.png'));
    expect(readFileSync(writeSiteOf(run)!, 'utf8').match(/data-unit/g)).toHaveLength(2);
    for (const i of [0, 2]) rmSync(join(run, `pictures/00000${i}.png`));
    expect(() => writeSiteOf(run)).toThrow(/has lost its pictures/);
  });

  it('takes no picture from outside the folder', () => {
    const run = renderedRun(place, ['a:0', 'a:1'], (name, i) => (i === 0 ? '../../secret.png' : name));
    expect(() => writeSiteOf(run)).toThrow(/secret.png/);
  });

  it('says that a render has not come to its end', () => {
    const run = renderedRun(place, []);
    expect(() => writeSiteOf(run)).toThrow(/no pictures of several units yet/);
  });
});
