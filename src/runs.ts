/**
 * Jobs and runs: a job is plain data, a run is its events and the folder that keeps them.
 *
 * @module
 */

// Jobs: read, opened, run, resumed.

export {
  createJobFolder,
  type OpenedJob,
  type OpenOptions,
  openJob,
  type ResumedRun,
  resumeRun,
  runJob,
} from './jobs/job.js';
export { readJobFile } from './jobs/job-file.js';
export type { LoadedNetwork } from './jobs/open-network.js';
export type { LoadedModel } from './jobs/open-text-model.js';
export { readJob } from './jobs/read-job.js';
export type { EarlierRun, Given, Opened, RunContext } from './jobs/task.js';
export {
  type FoundBy,
  type Job,
  type JobOf,
  type JobRequest,
  jobSchemas,
  type ResultOf,
  type TaskName,
} from './jobs/tasks.js';
export type { More } from './text/search/resume.js';

// Events.

export {
  type BaselineEvent,
  type CalibratedEvent,
  type CandidateEvent,
  type EventBody,
  type EventSource,
  type ExplainedEvent,
  eventClock,
  type FailedEvent,
  type FinishedEvent,
  type FrameEvent,
  finishRun,
  type JsonValue,
  type ProgressEvent,
  type ReadEvent,
  type Run,
  type RunEvent,
  type StartedEvent,
  type StepEvent,
  stamped,
  type UnknownEvent,
  type WarningEvent,
} from './runs/events.js';

// The folder of a run.

export type { JobRecord, RecordedModel, RunDescription } from './runs/description.js';
export {
  followRun,
  type Missing,
  type RunReading,
  readRun,
  type ViewedRun,
  viewRun,
} from './runs/read-run.js';
export { createRunFolder, openRunFolder, RunFolder, recordRun } from './runs/run-folder.js';
export type { RunLock } from './runs/run-lock.js';
export type { RunState, RunTail } from './runs/run-tail.js';

// What searches find.

export type { Explanation } from './core/explanation.js';
export { dominates, Frontier, fluencyFront, hypervolume, type Point } from './core/frontier.js';
export type { ScoredText } from './core/scored-text.js';
