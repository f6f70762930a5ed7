/** @file A model of the Hugging Face hub: the files that it needs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { Run } from '../runs/events.js';
import type { HubModel } from './access.js';
import { type DownloadOptions, downloadFiles, type WantedFiles } from './download-files.js';
import {
  missingFiles,
  presentFiles,
  smallFileLimit,
  wantedSmallFiles,
  wantedWeights,
} from './model-files.js';

/**
 * Gets the files a model needs: config, tokenizer, safetensors.
 *
 * @yields and throws as `downloadFiles`
 * @returns the folder of the snapshot
 */
export const downloadModel = (model: HubModel, options?: DownloadOptions): Run<string> =>
  downloadFiles(model, filesOfModel, options);

const filesOfModel: WantedFiles = {
  present: (folder) => (missingFiles(folder).length === 0 ? presentFiles(folder) : null),
  // The tokenizer may be elsewhere, and others may have left it out.
  complete: (folder) => existsSync(join(folder, 'tokenizer.json')),
  async *choose({ repo, folder, list }) {
    const remote = await list();
    const available = [...remote.keys()];
    const filesOf = (names: string[]) => names.map((name) => remote.get(name)!);
    const small = filesOf(wantedSmallFiles(available));
    const huge = small.find(({ size }) => size > smallFileLimit);
    if (huge !== undefined) {
      throw new UserError(
        `${huge.path} of ${repo} has ${huge.size} bytes, more than the ${smallFileLimit} that such a file may have; choose another model`,
      );
    }
    yield small;
    yield filesOf(wantedWeights(repo, available, folder));
  },
};
