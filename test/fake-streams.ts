/** @file Streams for tests: they keep what is written and can pose as a terminal. */

/** Two streams that keep what they are given. */
export function fakeStreams({ tty = false, columns = 80, env = {} as NodeJS.ProcessEnv } = {}) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY: tty,
    columns,
    write: (text: string) => {
      written[name] += text;
    },
  });
  return { written, streams: { stdout: stream('stdout'), stderr: stream('stderr'), env } };
}
