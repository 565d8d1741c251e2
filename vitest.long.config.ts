import { mergeConfig } from 'vitest/config'
import usual from './vitest.config.ts'

/** The long forms of suites that `npm test` runs in short (`npm run test:laws`). */
export default mergeConfig(usual, {
  test: {
    env: { LAW_PROGRAMS: '10000' },
  },
})
