import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/electron*.test.ts'],
    globalSetup: ['test/e2e/setup.ts'],
    pool: 'forks',
    // One window and one cluster at a time: two cores.
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 180_000,
  },
});
