import { defineConfig } from 'vitest/config';

// Real processes on two cores: one file at a time.
export default defineConfig({
  test: {
    include: ['test/rows/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 90_000,
  },
});
