// A Vitest reporter that leaves the numbers of passed and failed tests in the file that FLATSHARE_TEST_COUNTS names.
// A module that could not be loaded, and an error outside any test, count as one failure each.
import { writeFileSync } from 'node:fs'

export default class CountTests {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      const failedBefore = counts.failed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed' || state === 'failed') counts[state]++
        else counts.skipped++
      }
      if (module.state() === 'failed' && counts.failed === failedBefore) counts.failed++
    }
    const file = process.env.FLATSHARE_TEST_COUNTS
    if (file) writeFileSync(file, JSON.stringify(counts))
  }
}
