/**
 * Objects of the platform that it copies, or moves, in a way of its own, and within a process alone: a `Blob`, a
 * `BlockList`, a `WebAssembly.Module`.
 */

/** What Node's classes of that kind have on their prototypes. */
const mark = /^messaging_(clone|transfer)_symbol$/

const known = new WeakMap<object, boolean>()

export function isOfPlatform(x: object): boolean {
  return isMarked(x) || Object.prototype.toString.call(x) === '[object WebAssembly.Module]'
}

function isMarked(x: object): boolean {
  const prototype = Object.getPrototypeOf(x) as object | null
  if (prototype === null || prototype === Object.prototype) return false
  let marked = known.get(prototype)
  if (marked === undefined) {
    marked =
      Object.getOwnPropertySymbols(prototype).some(({ description = '' }) => mark.test(description)) ||
      isMarked(prototype)
    known.set(prototype, marked)
  }
  return marked
}
