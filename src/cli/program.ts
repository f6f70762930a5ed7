/** @file The commander program: one file a command under `commands/`, no logic of its own. */
import { Command } from 'commander';
import { visible } from '../core/visible.js';
import { packageVersion } from '../runs/versions.js';
import { atlasCommand } from './commands/atlas.js';
import { calibrateCommand } from './commands/calibrate.js';
import { corpusCommand } from './commands/corpus.js';
import { explainCommand } from './commands/explain.js';
import { imageCommand } from './commands/image.js';
import { modelsCommand } from './commands/models.js';
import { reportCommand } from './commands/report.js';
import { resumeCommand } from './commands/resume.js';
import { runCommand } from './commands/run.js';
import { scoreCommand } from './commands/score.js';
import { sweepCommand } from './commands/sweep.js';
import { textCommand } from './commands/text.js';
import { tuneCommand } from './commands/tune.js';
import { unitsCommand } from './commands/units.js';
import { viewCommand } from './commands/view.js';
import { workerCommand } from './commands/worker.js';
import { addOutputOptions } from './options.js';
import { writeWhole } from './write-whole.js';

/** Makes a fresh program; errors of parsing are thrown as `CommanderError`. */
export function createProgram(): Command {
  const program = new Command('superstim')
    .description('What does this unit of a network respond to?')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeWhole(process.stdout, text),
      outputError: (complaint, write) => write(complaintLine(complaint)),
    })
    .commandsGroup('Look around:')
    .helpCommand('help [command]', 'show help for a command');
  const probes = [
    textCommand(),
    atlasCommand(),
    tuneCommand(),
    corpusCommand(),
    scoreCommand(),
    explainCommand(),
    calibrateCommand(),
  ].map((command) => command.helpGroup('Probe a language model:'));
  const pictures = imageCommand().helpGroup('Probe a network that sees:');
  const runs = [runCommand(), resumeCommand(), sweepCommand(), workerCommand()].map((command) =>
    command.helpGroup('Run jobs:'),
  );
  const readers = [viewCommand(), reportCommand()].map((command) => command.helpGroup('Look at results:'));
  for (const command of [...probes, pictures, ...runs, ...readers, modelsCommand(), unitsCommand()]) {
    program.addCommand(addOutputOptions(command).copyInheritedSettings(program));
  }
  return program;
}

/** Commander's complaint on one line, with the way to help unless it knows a better one. */
function complaintLine(complaint: string): string {
  const line = complaint.trim().replaceAll('\n', ' ');
  return `${visible(line)}${line.includes('(Did you mean') ? '' : ' (--help shows what there is)'}\n`;
}
