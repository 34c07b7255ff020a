import { defineConfig } from 'vitest/config';

// Two cores: more workers only make each other slow, and the local cloud is a process of its own beside them.
const shared = {
  pool: 'forks',
  maxWorkers: 2,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 15_000 } },
} as const;

export default defineConfig({
  test: {
    ...shared,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { ...shared, name: 'local', include: ['test/local/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          globalSetup: ['test/package-app.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'flows',
          include: ['test/flows/**/*.test.ts'],
          globalSetup: ['test/package-app.ts'],
        },
      },
    ],
  },
});
