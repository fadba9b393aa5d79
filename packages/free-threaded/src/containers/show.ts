/** How containers show themselves in `console.log`. */
import { release, tryAcquire } from '@flatshare/sync/internal'
import { addressOf } from '../handle.js'
import { isInside } from '../object-lock.js'
import { shapeOf } from '../shape.js'
import { showOnce } from '../showing.js'

export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/** Looking never blocks: what another thread is changing at the moment shows no contents. */
export function showEntries(
  object: object,
  name: string,
  contents: () => Iterable<unknown>,
  depth: number | null,
  options: object,
  inspect: (x: unknown, options: object) => string,
): string {
  if (depth !== null && depth < 0) return `[${name}]`
  const address = addressOf(object)
  if (address <= 0) return `${name} { disposed of }`
  return showOnce(object, () => showFree(object, address, name, contents, { ...options, depth }, inspect))
}

function showFree(
  object: object,
  address: number,
  name: string,
  contents: () => Iterable<unknown>,
  options: object,
  inspect: (x: unknown, options: object) => string,
): string {
  if (isInside(address)) return shown(name, contents(), options, inspect)
  const outcome = tryAcquire(address)
  if (outcome === 'held') return `${name} { in use }`
  try {
    if (outcome === 'abandoned') shapeOf(object)?.onAbandoned?.(object)
    return shown(name, contents(), options, inspect)
  } finally {
    release(address)
  }
}

function shown(
  name: string,
  contents: Iterable<unknown>,
  options: object,
  inspect: (x: unknown, options: object) => string,
): string {
  const text = inspect(contents, options)
  if (Array.isArray(contents)) return `${name}(${contents.length}) ${text}`
  return text.replace(/^\w+/, name)
}
