import { defineConfig } from "vitest/config";

/**
 * `unit` needs nothing but Node. `e2e` needs root and the real kernel, and runs one file at a time, after it. `backends`
 * needs other people's servers besides: npm run test:backends.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/backends/**"],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          setupFiles: ["test/e2e/setup.ts"],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "backends",
          include: ["test/backends/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          setupFiles: ["test/e2e/setup.ts"],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
