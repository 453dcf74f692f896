import { defineConfig } from 'vitest/config';

// Foreign clients in their own processes against real clusters: one file at a time.
export default defineConfig({
  test: {
    include: ['test/compat/**/*.test.ts'],
    exclude: ['test/compat/java/**', 'test/compat/python/**', 'test/compat/go/**'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
