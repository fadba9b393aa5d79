// Makes `lib`, what programs run, of `dist`, what `tsc -b` compiled: `node scripts/bundle.js [package …]`.
//
// A worker loads Flatshare anew whenever one starts, and each module costs it about a millisecond, however small. So a
// package comes as few of them: one for each entry, and one for what entries share.
//
// - `core` and `sync` have all their code in `internal`, and `index` only names the public part of it. What is above
//   them imports from `internal` alone.
// - `core` is made once for each family of runtimes, with its leaf of `#platform` inside.
// - The supervisor shares nothing: it runs on a thread of its own, and needs little. Node has no bundler that takes a
//   worker's module along with a program, so there `internal` has the supervisor's code as a text.
// - Else nothing is minified, so that stacks can be read. Comments are left out; what isn't ASCII is escaped, as engines take
//   half the memory for sources of ASCII alone.
//
// Types stay in `dist`, and with them the modules that tests take apart. A file that comes out as it is stays untouched.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { rolldown } from 'rolldown'
import { floors, manifestOf, root } from './workspace.js'

/** Packages whose `internal` has all that they have. */
const whole = ['core', 'sync']
const families = { core: ['node', 'browser'] }
/** What is given to `new Worker`, by package: on a thread where the package is used besides, and on one of its own. */
const hosts = { apartment: ['host'], 'advise-sink': ['service'], process: ['host'] }
const alone = { core: ['supervisor'] }
const inlined = (family, entry) => family === 'node' && alone.core.includes(entry)

const EVERYTHING = '\0everything'

/** Makes `lib` in these packages, as far as they are compiled. */
export async function bundle(names = Object.keys(floors)) {
  await Promise.all(
    names.filter((name) => existsSync(join(root, 'packages', name, 'dist/index.js'))).map(bundlePackage),
  )
}

/** For Vitest: tests run what was compiled last, also where that was by `tsc` alone. */
export const setup = () => bundle()

async function bundlePackage(name) {
  const folder = join(root, 'packages', name)
  const made = new Map()
  for (const family of families[name] ?? ['']) {
    for (const { fileName, text } of await modulesOf(name, join(folder, 'dist'), family)) {
      made.set(join(family, fileName), text)
    }
  }
  write(join(folder, 'lib'), made)
}

async function modulesOf(name, dist, family) {
  const exported = Object.values(manifestOf(`packages/${name}`).exports)
  const entries = exported.map(({ types }) => types.match(/^\.\/dist\/(.+)\.d\.ts$/)[1])
  const input = (names) => Object.fromEntries(names.map((entry) => [entry, join(dist, `${entry}.js`)]))
  const texts = new Map()
  const build = (modules) => generate(modules, { name, dist, lib: join(dist, '../lib', family), family, texts })
  const apart = []
  for (const entry of alone[name] ?? []) {
    if (inlined(family, entry)) texts.set(entry, await textOf(join(dist, `${entry}.js`), dist, family))
    else apart.push(...(await build(input([entry]))))
  }
  const together = [...entries, ...(hosts[name] ?? [])]
  if (!whole.includes(name)) return [...(await build(input(together))), ...apart]

  const rest = input(together.filter((entry) => entry !== 'index' && entry !== 'internal'))
  const chunks = await build({ ...rest, internal: EVERYTHING })
  const index = (await build(input(['index']))).find(({ fileName }) => fileName === 'index.js')
  const names = index.exports.map((exported) => `  ${exported},\n`).join('')
  return [...chunks, ...apart, { fileName: 'index.js', text: `export {\n${names}} from './internal.js'\n` }]
}

/** Bundles modules, given by the names that they shall have, into files: `fileName`, `text`, and what each `exports`. */
async function generate(input, { name, dist, lib, family, texts }) {
  const toInternal = new Set(name === 'flatshare' ? [] : whole.map((other) => `@flatshare/${other}`))
  const made = await rolldown({
    input,
    platform: 'neutral',
    treeshake: false,
    external: (id) => /^(node:|[a-z@])/.test(id) && !toInternal.has(id),
    plugins: [fromDist(dist, family, toInternal, texts)],
  })
  const { output } = await made.generate({
    dir: lib,
    format: 'es',
    sourcemap: true,
    minifyInternalExports: false,
    charset: 'ascii',
    comments: { legal: false, jsdoc: false, annotation: true },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  })
  await made.close()
  return output.map((file) => ({ ...file, text: file.type === 'chunk' ? file.code : file.source }))
}

/** The code of a module of Node's, as a script without imports. */
async function textOf(input, dist, family) {
  const made = await rolldown({
    input,
    platform: 'neutral',
    external: /^node:/,
    plugins: [fromDist(dist, family, new Set(), new Map([['supervisor', '']]))],
    transform: { define: { 'import.meta.url': JSON.stringify(`flatshare:${basename(input)}`) } },
  })
  const globals = (id) => `process.getBuiltinModule(${JSON.stringify(id)})`
  const { output } = await made.generate({ format: 'iife', globals, minify: true, charset: 'ascii' })
  await made.close()
  return output[0].code.trim()
}

/** How compiled modules are found and read, and the modules of threads: beside the bundle, or as a text. */
function fromDist(dist, family, toInternal, texts) {
  return {
    name: 'dist',
    resolveId(id) {
      if (id === EVERYTHING) return id
      if (id === '#platform') return join(dist, 'platform', `${family}.js`)
      if (toInternal.has(id)) return { id: `${id}/internal`, external: true }
      return undefined
    },
    load(id) {
      if (id === EVERYTHING) {
        return ['internal', 'index']
          .map((entry) => `export * from ${JSON.stringify(join(dist, `${entry}.js`))}\n`)
          .join('')
      }
      const map = JSON.parse(readFileSync(`${id}.map`, 'utf8'))
      const code = readFileSync(id, 'utf8').replace(/\/\/# sourceMappingURL=.*\n?$/, '')
      const placed = code.replace(/new URL\('\.\.\/(\w+)\.js', import\.meta\.url\)/g, (_, entry) =>
        texts.has(entry) ? JSON.stringify(texts.get(entry)) : `new URL('./${entry}.js', import.meta.url)`,
      )
      return { code: family ? placed : code, map }
    },
  }
}

function write(lib, made) {
  for (const [file, text] of made) {
    const path = join(lib, file)
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    mkdirSync(dirname(path), { recursive: true })
    // Whole or not at all: a program may be loading it.
    const whole = join(dirname(path), `.${process.pid}.tmp`)
    writeFileSync(whole, text)
    renameSync(whole, path)
  }
  for (const entry of readdirSync(lib, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !entry.name.startsWith('.') && !made.has(relative(lib, path))) rmSync(path)
  }
}

if (import.meta.filename === process.argv[1]) await bundle(process.argv.length > 2 ? process.argv.slice(2) : undefined)
