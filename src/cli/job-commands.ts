/** @file The commands whose work is a job, by task and in the order of `superstim --help`: a new one is a line here. */
import type { TaskName } from '../jobs/tasks.js';
import { atlasCommand } from './commands/atlas.js';
import { calibrateCommand } from './commands/calibrate.js';
import { corpusCommand } from './commands/corpus.js';
import { explainCommand } from './commands/explain.js';
import { imageCommand } from './commands/image.js';
import { scoreCommand } from './commands/score.js';
import { textCommand } from './commands/text.js';
import { tuneCommand } from './commands/tune.js';
import type { JobCommand } from './job-command.js';

const jobCommands: { readonly [T in TaskName]: JobCommand<T> } = {
  text: textCommand,
  atlas: atlasCommand,
  tune: tuneCommand,
  corpus: corpusCommand,
  score: scoreCommand,
  explain: explainCommand,
  calibrate: calibrateCommand,
  image: imageCommand,
};

/** The command of a task. */
export const jobCommandOf = <T extends TaskName>(task: T): JobCommand<T> => jobCommands[task];

export const jobTasks = Object.keys(jobCommands) as TaskName[];
