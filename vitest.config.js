// Tests run as `tsc -b` compiled them: decorators are lowered, and workers load the very files that tests import.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))
const inRoot = (pattern) => new RegExp(`^${root.replaceAll('\\', '/').replace(/[.*+?^${}()|[\]]/g, '\\$&')}${pattern}`)

/** What the quick tests and the soak tests share. */
export const shared = {
  root,
  pool: 'forks',
  globalSetup: './scripts/bundle.js',
  exclude: ['**/node_modules/**'],
  // Node loads every module itself, once; Vitest transforms only the test modules. Otherwise a class that both a test
  // and a package import would exist twice.
  server: { deps: { external: [inRoot('(.+/)?(dist|lib)/'), inRoot('(.+/)?dist-test/(?!.*\\.(test|soak)\\.js)')] } },
}

export default defineConfig({
  test: {
    ...shared,
    include: ['{packages,examples}/*/dist-test/**/*.test.js', 'test/dist-test/**/*.test.js'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
