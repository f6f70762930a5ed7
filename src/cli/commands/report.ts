/** @file `superstim report`: a run, or many, as HTML to share; figures for papers. */
import { Command } from 'commander';
import type { WrittenReport } from '../../report/write-report.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';

interface ReportFlags extends CommonOptions {
  out?: string;
  figure?: string;
}

export function reportCommand(): Command {
  return new Command('report')
    .description('write a run as one HTML page to share, many runs with an index')
    .argument('<run...>', 'run folders')
    .option('-o, --out <file>', 'the page (default: report.html in the run, index.html beside several)')
    .option('--figure <file>', "instead, write the run's figure as .svg or .png, for papers")
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim report runs/20250131-120000-L2.H3\n  $ superstim report runs/*\n  $ superstim report runs/20250131-120000-L2.H3 --figure frontier.svg',
    )
    .action(async (paths: string[], flags: ReportFlags) => {
      const output = new Output(flags);
      if (flags.figure !== undefined) {
        const figure = await drawFigure(paths, flags.figure, flags.out);
        output.result({ figure }, () => figure);
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
