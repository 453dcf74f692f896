import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    exclude: ['test/e2e/electron*.test.ts', 'node_modules/**'],
    globalSetup: ['test/e2e/setup.ts'],
    pool: 'forks',
    // One browser and one cluster at a time: two cores.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
