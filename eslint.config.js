// What Biome cannot see: the rules on promises need types, and the floors' rule on runtimes needs to know the folder.
import { builtinModules } from 'node:module'
import tseslint from 'typescript-eslint'

const platformLayer = 'packages/core/src/platform/**'
/** Processes are the runtime's: there is none in a browser. */
const nodeOnly = 'packages/process/src/**'
const runtimeGlobals = ['process', 'Deno', 'Bun', 'navigator', 'window', 'self', 'Buffer', 'require']
const message = 'Only packages/core/src/platform may name a runtime: ask `@flatshare/core` instead.'

/** In packages for every runtime, only the platform layer names one: no `node:` modules, no `process`, no `navigator`. */
export const onlyThePlatformNamesARuntime = {
  name: 'flatshare/only-the-platform-names-a-runtime',
  files: ['packages/*/src/**/*.ts'],
  ignores: [platformLayer, nodeOnly],
  languageOptions: { parser: tseslint.parser },
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: builtinModules.filter((name) => !name.startsWith('_')).map((name) => ({ name, message })),
        patterns: [{ regex: '^(node|bun|deno|cloudflare):', message }],
      },
    ],
    'no-restricted-globals': ['error', ...runtimeGlobals.map((name) => ({ name, message }))],
    'no-restricted-properties': [
      'error',
      ...runtimeGlobals.map((property) => ({ object: 'globalThis', property, message })),
    ],
    'no-restricted-syntax': [
      'error',
      { selector: 'ImportExpression[source.value=/^(node|bun|deno|cloudflare):/]', message },
      { selector: 'TSImportType[source.value=/^(node|bun|deno|cloudflare):/]', message },
      { selector: 'TSImportEqualsDeclaration', message },
    ],
  },
}

export default tseslint.config(
  { ignores: ['**/dist/', '**/dist-test/', '**/node_modules/', 'docs/', '**/*.js'] },
  {
    name: 'flatshare/promises',
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  onlyThePlatformNamesARuntime,
)
