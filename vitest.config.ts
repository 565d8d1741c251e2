import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The `module` field of graphql leads to a second copy of it beside the one that Node gives to graphql-yoga.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // A machine that is busy with other things takes its time; what hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
})
