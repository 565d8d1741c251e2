import { mergeConfig } from 'vitest/config'
import usual from './vitest.config.ts'

/** The long forms of suites that `npm test` runs in short (`npm run test:laws`, `test:crash`, `test:large`, `test:corruption`, `test:exchange`). */
export default mergeConfig(usual, {
  test: {
    env: {
      LAW_PROGRAMS: process.env.LAW_PROGRAMS ?? '500',
      CRASHES: '200',
      LARGE: '1',
      FLIPS: '500',
      EXCHANGES: '1000',
    },
  },
})
