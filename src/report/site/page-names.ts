/** @file Names of a site's pages: that of the unit, as any file system has it. */
import { safeFileName } from '../../runs/run-folder.js';

export class PageNames {
  private readonly taken = new Set<string>();

  /** Without an ending; with a number where another unit has the name. */
  of(unit: string): string {
    const stem = safeFileName(unit);
    const name = this.taken.has(stem.toLowerCase()) ? `${stem}-${this.taken.size}` : stem;
    this.taken.add(name.toLowerCase());
    return name;
  }
}
