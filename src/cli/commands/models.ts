/** @file `superstim models`: what `--model` can name without a download. */
import { Command } from 'commander';
import { formatBytes, formatTable } from '../../core/format.js';
import type { CommonOptions } from '../options.js';
import { Output, type Paint } from '../output.js';

export function modelsCommand(): Command {
  return new Command('models')
    .description('list the embedded models and those in the Hugging Face cache')
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim models\n  $ superstim models --json | jq .cached[].name',
    )
    .action(async (options: CommonOptions) => {
      const { listModels } = await import('../../hub/list-models.js');
      const models = listModels();
      new Output(options).result(models, (paint) => formatModels(models, paint));
    });
}

type Models = ReturnType<typeof import('../../hub/list-models.js').listModels>;

function formatModels({ embedded, cached, cache }: Models, paint: Paint): string {
  const section = (title: string, models: Models['embedded'], empty: string) => {
    const rows = models.map(({ name, architecture, bytes, complete }) => [
      `  ${name}`,
      architecture ?? 'unknown',
      complete ? formatBytes(bytes) : `${formatBytes(bytes)}, incomplete`,
    ]);
    return `${paint('bold', title)}\n${rows.length > 0 ? formatTable(rows) : `  ${empty}`}`;
  };
  return [
    section('Embedded', embedded, '(none)'),
    section(`Hugging Face cache (${cache})`, cached, '(none; --model org/name downloads one)'),
  ].join('\n\n');
}
