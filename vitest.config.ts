import { defineConfig } from 'vitest/config'
import { DIST, isBuilt } from './test/built.ts'

/** Tests of what was built load it as Node does: to transform the sources for each file of tests takes longer than most tests. */
const built = isBuilt() ? [{ find: /^(?:\.\.\/)+src\/(.*)\.ts$/, replacement: `${DIST}/$1.js` }] : []

export default defineConfig({
  // The `module` field of graphql leads to a second copy of it beside the one that Node gives to graphql-yoga.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }, ...built] },
  test: {
    include: ['test/**/*.test.ts'],
    // Threads and processes of the hub come from the built program, where it is that of the sources.
    env: isBuilt() ? { SAMTALE_BUILT: DIST } : {},
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    maxWorkers: 2,
    // A machine that is busy with other things takes its time; what hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
})
