/** @file `superstim report`: a run, or many, as HTML to share; figures for papers. */
import { Command, Option } from 'commander';
import { type OutletName, outletNames } from '../../report/outlets/outlet-names.js';
import type { WrittenReport } from '../../report/write-report.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';

interface ReportFlags extends CommonOptions {
  out?: string;
  figure?: string;
  format: 'html' | OutletName;
  source?: string;
}

export function reportCommand(): Command {
  return new Command('report')
    .description('write a run as one HTML page to share, many runs with an index')
    .argument('<run...>', 'run folders')
    .option('-o, --out <file>', 'the page (default: report.html in the run, index.html beside several)')
    .option('--figure <file>', "instead, write the run's figure as .svg or .png, for papers")
    .addOption(
      new Option(
        '--format <format>',
        'what is written: pages, the texts of searches for Neuronpedia (the body of upload-batch) or circuit-tracer (feature files), or the heads of an atlas for HeadVis (its data folder)',
      )
        .choices(['html', ...outletNames])
        .default('html'),
    )
    .option(
      '--source <model/layer-set>',
      'with --format: what the units are called there, such as gemma-2-2b/20-my-set (default: what the unit says)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim report runs/20250131-120000-L2.H3\n  $ superstim report runs/*\n  $ superstim report runs/20250131-120000-L2.H3 --figure frontier.svg',
    )
    .action(async (paths: string[], flags: ReportFlags) => {
      const output = new Output(flags);
      await checkFlags(flags);
      if (flags.figure !== undefined) {
        const figure = await drawFigure(paths, flags.figure, flags.out);
        output.result({ figure }, () => figure);
        return;
      }
      if (flags.format !== 'html') {
        const { writeOutlet } = await import('../../report/outlets/write-outlet.js');
        const files = writeOutlet(flags.format, paths, flags);
        output.result({ files }, () => files.join('\n'));
        return;
      }
      const { writeReport } = await import('../../report/write-report.js');
      const written: WrittenReport = await writeReport(paths, flags.out);
      for (const [path, sentences] of Object.entries(written.missing))
        output.warn(`${path}: ${sentences.join('; ')}`);
      for (const [path, why] of Object.entries(written.passed)) output.warn(`${path} is passed over: ${why}`);
      output.result(written, () => written.report);
    });
}

/** Throws UsageError for options that do not go together. */
async function checkFlags({ figure, format, source }: ReportFlags): Promise<void> {
  const { UsageError } = await import('../../core/errors.js');
  if (figure !== undefined && format !== 'html')
    throw new UsageError('--figure and --format write different things: give one of them');
  if (source !== undefined && (format === 'html' || format === 'headvis'))
    throw new UsageError('--source is for --format neuronpedia or circuit-tracer');
}

/** Throws UsageError when more than one run, or a page too, is asked for. */
async function drawFigure(
  paths: readonly string[],
  figure: string,
  out: string | undefined,
): Promise<string> {
  const { UsageError } = await import('../../core/errors.js');
  if (paths.length > 1)
    throw new UsageError(`--figure draws one run, and there are ${paths.length}: give one run folder`);
  if (out !== undefined)
    throw new UsageError('--figure writes no page: leave out --out, or leave out --figure');
  const { resolve } = await import('node:path');
  const { openRun } = await import('../../report/reported-run.js');
  const { checkFigureName, writeFigure } = await import('../../report/figure-file.js');
  checkFigureName(figure);
  await writeFigure(openRun(paths[0]!), resolve(figure));
  return resolve(figure);
}
