import { defineConfig } from 'vitest/config';

// Four groups, one after the other, for the sake of two cores and their memory: tests that need no engine, two files at a time; tests in a browser, which watch the clock; tests on shared real engines, which
// start when the first such file is reached and only then; and tests that start engines of their own in order to break them.

const onEngines = '**/*.{kafka,cassandra,cluster}.test.ts';
const inBrowser = 'test/browser/**/*.test.ts';
const ownEngines = ['test/engines/**/*.test.ts', 'test/cluster/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [onEngines, inBrowser, ...ownEngines],
          // Two cores: more workers would only make the tests that start servers slower.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [inBrowser],
          exclude: [onEngines],
          testTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'engines',
          include: [`packages/*/src/${onEngines}`, `test/${onEngines}`],
          globalSetup: ['test/support/engine-room.ts'],
          setupFiles: ['test/support/enter-engine-room.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ownEngines,
          exclude: [onEngines],
          setupFiles: ['test/support/enter-engine-room.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
