import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // Files wait for each other's model loading otherwise.
    maxWorkers: 2,
    // Generous: a busy machine is no reason to fail.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
