import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The `module` field of graphql leads to a second copy of it beside the one that Node gives to graphql-yoga.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
