/** Free-threaded classes by the name under which their objects cross. */
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import { loadModule } from '@flatshare/core/internal'
import type { TypeInfo } from './heap/index.js'
import type { Shape } from './shape.js'

const byName = new Map<string, Shape[]>()

export function register(shape: Shape): void {
  const known = byName.get(shape.name)
  if (known) known.push(shape)
  else byName.set(shape.name, [shape])
}

/** @throws FlatshareError where two classes have the name: nobody could tell whose objects arrive. */
export function requireUniqueName(name: string): Shape | undefined {
  const known = byName.get(name) ?? []
  if (known.length < 2) return known[0]
  const modules = [...new Set(known.map(({ module }) => module).filter(Boolean))]
  const where = modules.length > 0 ? ` (${modules.join(', ')})` : ''
  throw new FlatshareError(
    `${known.length} free-threaded classes are called ${name} on this thread${where}: their objects can't be told ` +
      "apart. Give one of them another name: @FreeThreaded({ name: '…' }).",
  )
}

/**
 * The class of an object that arrived; a class that says in which module it is, is loaded.
 *
 * @throws NotMarshalableError where this thread doesn't know it, or knows it with other fields.
 */
export function classFor({ name, layout, module, autoload = false }: TypeInfo): Shape {
  const shape = requireUniqueName(name) ?? (autoload ? load(name, module) : undefined)
  if (!shape) {
    throw new NotMarshalableError(
      `An object of the free-threaded class ${name} arrived, and this thread doesn't know that class: import its ` +
        `module${module ? ` (${module})` : ''} here.`,
    )
  }
  if (shape.layout !== layout) {
    const here = shape.layout.split(', ')
    const there = layout.split(', ')
    const missing = (from: string[], others: string[]) =>
      from.filter((field) => !others.includes(field)).join(', ') || 'nothing'
    throw new NotMarshalableError(
      `The class ${name} differs between two threads: only there it shares ${missing(there, here)}; only here ` +
        `${missing(here, there)}. Let both load the same version of it.`,
    )
  }
  return shape
}

function load(name: string, module: string): Shape | undefined {
  try {
    if (!loadModule(module)) return undefined
  } catch (error) {
    throw new NotMarshalableError(
      `An object of the free-threaded class ${name} arrived, and its module (${module}) could not be loaded here: ` +
        `${(error as Error).message}`,
      { cause: error },
    )
  }
  return requireUniqueName(name)
}

/** The module that called from outside of this package, as far as the runtime tells. */
export function callingModule(): string {
  const here = new URL('.', import.meta.url).href
  for (const line of new Error().stack?.split('\n') ?? []) {
    const place = /((?:(?:file|https?):\/\/|\/|[a-z]:\\)[^()]*?):\d+(?::\d+)?\)?$/i.exec(line)?.[1]
    if (place && !place.startsWith(here) && !/\/(tslib|reflect-metadata)\//.test(place)) return place
  }
  return ''
}
