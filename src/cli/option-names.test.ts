import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldsOf, readJob } from '../jobs/read-job.js';
import { type Job, jobSchemas, type TaskName } from '../jobs/tasks.js';
import { optionOf, withoutOption } from './option-names.js';
import { createProgram } from './program.js';

const tasks = Object.keys(jobSchemas) as TaskName[];
const commandOf = (task: TaskName) => createProgram().commands.find((command) => command.name() === task)!;
const optionsOf = (task: TaskName) =>
  new Map(commandOf(task).options.map((option) => [option.long!, option]));

/** Options that are about the command and not about what is computed. */
const withoutField = [
  '--text-file',
  '--out',
  '--runs',
  '--tui',
  '--json',
  '--quiet',
  '--no-color',
  '--debug',
];

/** Options for the job of another task: an atlas of a vision network is a job of `image`. */
const ofOtherTasks: Partial<Record<TaskName, string[]>> = { atlas: ['--steps'] };

/** What a number may be, by the schema of its field: just inside and just outside. */
function edgesOf(field: unknown): { inside: number[]; outside: number[] } {
  const { anyOf = [], ...schema } = z.toJSONSchema(field as z.ZodType, { io: 'input' });
  const found = [schema, ...anyOf].find(({ type }) => type === 'integer' || type === 'number');
  const { minimum, maximum, exclusiveMinimum } = (found ?? {}) as Readonly<Record<string, number>>;
  const known = (...edges: (number | undefined)[]) => edges.filter((edge) => edge !== undefined);
  return {
    inside: known(minimum, maximum),
    outside: [
      ...known(minimum).map((edge) => edge - 1),
      ...known(maximum).map((edge) => edge + 1),
      ...known(exclusiveMinimum),
    ],
  };
}

/** The job of a command line that names only what it must. */
const least = (task: TaskName): Job => {
  const needed = { text: 'a', unit: 'L0.H0', units: ['L0.H0'], files: ['a.txt'] };
  const known = Object.entries(needed).filter(([field]) => Object.hasOwn(fieldsOf(task), field));
  return readJob({ task, ...Object.fromEntries(known) });
};

describe.each(tasks)('superstim %s', (task) => {
  const fields = Object.keys(fieldsOf(task)).filter((field) => !withoutOption.includes(field));

  it('has an option for each field of the job, and no other', () => {
    const named = fields.map(optionOf);
    const foreign = [...withoutField, ...(ofOtherTasks[task] ?? [])];
    // The `--out` of `image` is a field.
    const isField = (option: string) => named.includes(option) || !foreign.includes(option);
    expect([...optionsOf(task).keys()].filter(isField).sort()).toEqual(named.sort());
  });

  it('has the bounds of the job', () => {
    for (const field of fields) {
      const option = optionsOf(task).get(optionOf(field))!;
      const parse = (value: number) => option.parseArg!(String(value), undefined as never);
      const { inside, outside } = edgesOf(fieldsOf(task)[field]);
      for (const value of inside) expect([field, parse(value)]).toEqual([field, value]);
      for (const value of outside) expect(() => parse(value), `${field} ${value}`).toThrow();
    }
  });

  it('has the defaults of the job', () => {
    const job: Record<string, unknown> = { ...least(task) };
    for (const field of fields) {
      const { defaultValue } = optionsOf(task).get(optionOf(field))!;
      if (defaultValue !== undefined) expect([field, defaultValue]).toEqual([field, job[field]]);
    }
  });
});
