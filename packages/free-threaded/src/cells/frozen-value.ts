/**
 * Freezing what comes out of shared memory, so that a change that nobody else would see is an error
 * instead. Objects and arrays are frozen; `Map`, `Set` and `Date`, which can't be, get methods that refuse.
 */
function refuse(what: string): never {
  throw new TypeError(
    `This ${what} came out of a shared field or container, as a copy: changing it would change nothing there. Set the ` +
      'whole value again, for example account.tags = new Set([...account.tags, tag]).',
  )
}

/** A prototype above the built-in one's, whose methods refuse. Everything else about such objects stays. */
function refusing(prototype: object, what: string, methods: readonly string[]): object {
  const made = Object.create(prototype) as object
  for (const name of methods) {
    Object.defineProperty(made, name, { value: () => refuse(what), writable: true, configurable: true })
  }
  return Object.freeze(made)
}

const settersOfDate = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'))
const frozenMap = refusing(Map.prototype, 'Map', ['set', 'delete', 'clear'])
const frozenSet = refusing(Set.prototype, 'Set', ['add', 'delete', 'clear'])
const frozenDate = refusing(Date.prototype, 'Date', settersOfDate)

/**
 * Freezes a value that was just decoded, at any depth. False where a part of it can still be changed (the
 * contents of buffers and typed arrays): then it must be decoded anew for whoever reads it next.
 */
export function freezeDecoded(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  let isWhole = true
  // Without recursion: values may be nested deeply. What is frozen has been met before.
  const left: object[] = [value]
  for (let x = left.pop(); x; x = left.pop()) {
    if (Object.isFrozen(x)) continue
    if (ArrayBuffer.isView(x) || x instanceof ArrayBuffer) {
      isWhole = false
      continue
    }
    if (x instanceof Map) {
      for (const [key, inside] of x) push(left, key, inside)
      Object.setPrototypeOf(x, frozenMap)
    } else if (x instanceof Set) {
      for (const inside of x) push(left, inside)
      Object.setPrototypeOf(x, frozenSet)
    } else if (x instanceof Date) Object.setPrototypeOf(x, frozenDate)
    else for (const key of Object.keys(x)) push(left, (x as any)[key])
    Object.freeze(x)
  }
  return isWhole
}

function push(left: object[], ...values: unknown[]): void {
  for (const value of values) if (typeof value === 'object' && value !== null) left.push(value)
}
