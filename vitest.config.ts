import { defineConfig } from 'vitest/config';

/** Folders whose tests load no TensorFlow.js, which cannot be set up twice in one process: their files share processes. */
const plain = ['core', 'runs', 'report', 'media', 'tui', 'cli', 'hub'].map(
  (name) => `src/${name}/**/*.test.{ts,tsx}`,
);

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'plain', include: plain, isolate: false } },
      {
        extends: true,
        test: { name: 'parts', include: ['src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts'], exclude: plain },
      },
      {
        extends: true,
        test: { name: 'whole', include: ['test/**/*.test.ts'], globalSetup: './test/built.ts' },
      },
    ],
    reporters: ['default', './test/summary-reporter.ts'],
    // Files wait for each other's model loading otherwise.
    maxWorkers: 2,
    // Generous: a busy machine is no reason to fail.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
