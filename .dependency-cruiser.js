// The house rules on imports: floors, no cycles, nothing that a package does not list.
import { floors } from './scripts/workspace.js'

const upstairs = Object.entries(floors).map(([name, floor]) => {
  const forbidden = Object.keys(floors).filter((other) => other !== name && floors[other] >= floor)
  return {
    name: `floors-${name}`,
    comment: `@flatshare/${name} is on floor ${floor}: it imports only from lower floors.`,
    severity: 'error',
    from: { path: `^packages/${name}/` },
    to: { path: `^packages/(${forbidden.join('|')})/` },
  }
})

export default {
  forbidden: [
    ...upstairs.filter(({ name }) => name !== 'floors-flatshare'),
    {
      name: 'only-the-house',
      comment: 'A package imports nothing from examples, tests or benchmarks.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '^(examples|test|bench|scripts)/|/test/' },
    },
    {
      name: 'front-door',
      comment: 'Other packages are imported by name, never by a path into their folder.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypesNot: ['aliased', 'npm'] },
    },
    {
      name: 'no-cycles',
      comment: 'No import cycle (one of types alone does no harm).',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'listed',
      comment: "What a package's source imports is in its package.json, and not only for development.",
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/', '/dist-test/', '/lib/'] },
    exclude: { path: ['/dist-test/', '^packages/[^/]+/lib/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.sources.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
