/**
 * Compiled modules that run over a model of shared memory, without having been written for one.
 *
 * Hot code works on the views of the arena itself: an interface in between would cost more than the work. So here the
 * module's text is made into a function of what it imports, and of `Atomics` and `performance`; and, where a test wants
 * it, with a line broken or a constant made small.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** A part of the compiled text, and what stands there instead. */
export type Edit = readonly [line: string, instead: string]

export interface Surroundings {
  /** All that the module imports, by name. */
  readonly imports: Readonly<Record<string, unknown>>
  readonly Atomics: unknown
  readonly performance?: unknown
}

/** Gives the exports of a fresh copy of the module, with a state of its own. */
export type Instantiate<Module> = (surroundings: Surroundings) => Module

const IMPORT = /^import \{([^}]*)\} from '[^']*';$/gm
const EXPORT = /^export (const|class|function) (\w+)/gm

/**
 * @param module the compiled file.
 * @param folder where the copy is put.
 * @param edits each has exactly one place in the text.
 */
export async function moduleText<Module>(
  module: URL,
  folder: URL,
  edits: readonly Edit[] = [],
): Promise<Instantiate<Module>> {
  let text = readFileSync(module, 'utf8')
  for (const [line, instead] of edits) {
    if (text.split(line).length !== 2) throw new Error(`${module.pathname} has not one place with "${line}".`)
    text = text.replace(line, () => instead)
  }
  const exported = [...text.matchAll(EXPORT)].map((match) => match[2])
  const body = text
    .replaceAll(IMPORT, (_, names: string) => `const {${names.replaceAll(' as ', ': ')}} = imports;`)
    .replaceAll(EXPORT, '$1 $2')
    .replace(/^\/\/# sourceMappingURL.*$/m, '')
  if (/^(import|export)\b/m.test(body)) throw new Error(`${module.pathname} imports or exports in another form.`)
  mkdirSync(folder, { recursive: true })
  const file = new URL('copy.js', folder)
  writeFileSync(
    file,
    `export function instantiate({ imports, Atomics, performance }) {\n${body}\nreturn { ${exported.join(', ')} };\n}\n`,
  )
  return ((await import(file.href)) as { instantiate: Instantiate<Module> }).instantiate
}
