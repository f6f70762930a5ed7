/** @file The commander program: one file a command under `commands/`, no logic of its own. */
import { Command } from 'commander';
import { visible } from '../core/visible.js';
import type { TaskName } from '../jobs/tasks.js';
import { packageVersion } from '../runs/versions.js';
import { modelsCommand } from './commands/models.js';
import { reportCommand } from './commands/report.js';
import { resumeCommand } from './commands/resume.js';
import { runCommand } from './commands/run.js';
import { sweepCommand } from './commands/sweep.js';
import { unitsCommand } from './commands/units.js';
import { viewCommand } from './commands/view.js';
import { workerCommand } from './commands/worker.js';
import { jobCommandOf, jobTasks } from './job-commands.js';
import { addOutputOptions } from './options.js';
import { perform } from './perform.js';
import { performSeveral } from './perform-several.js';
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
  const jobs = jobTasks.map(jobCommand);
  const runs = [runCommand(), resumeCommand(), sweepCommand(), workerCommand()].map((command) =>
    command.helpGroup('Run jobs:'),
  );
  const readers = [viewCommand(), reportCommand()].map((command) => command.helpGroup('Look at results:'));
  for (const command of [...jobs, ...runs, ...readers, modelsCommand(), unitsCommand()]) {
    program.addCommand(addOutputOptions(command).copyInheritedSettings(program));
  }
  return program;
}

/** The command of a task, which performs the job that its options ask for. */
function jobCommand(task: TaskName): Command {
  const { command, job, several, performed } = jobCommandOf(task);
  const made = command();
  return made.action(async () => {
    const flags = made.opts();
    const jobs = several?.(flags);
    if (jobs) return performSeveral(jobs, flags);
    await perform(await job(flags, made), performed ? performed(flags) : flags);
  });
}

/** Commander's complaint on one line, with the way to help unless it knows a better one. */
function complaintLine(complaint: string): string {
  const line = complaint.trim().replaceAll('\n', ' ');
  return `${visible(line)}${line.includes('(Did you mean') ? '' : ' (--help shows what there is)'}\n`;
}
