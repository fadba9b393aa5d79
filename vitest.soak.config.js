// Long stress runs: `npm run soak`. One at a time, since each of them starts as many threads as it likes.
import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.js'

const hour = 3_600_000

export default defineConfig({
  test: {
    ...shared,
    include: ['{packages,examples}/*/dist-test/**/*.soak.js', 'test/dist-test/**/*.soak.js'],
    testTimeout: hour,
    hookTimeout: hour,
    fileParallelism: false,
    passWithNoTests: true,
  },
})
