/**
 * The names of locks in shared memory: a hash table of *resources*, each a name with its requests (`lock-table.ts`).
 *
 *   resource   +0 next in its bucket   +4 hash   +8 units of the name   +12 first request   +16 last request
 *              +20 first request that waits   +24 the name: two UTF-16 units a word
 *
 * All of it is touched inside the table's guard only. `next` is the truth: a resource is linked, whole, and unlinked by one
 * store each. A thread that dies between can lose the block, no more.
 */
import type { SyncMemory } from './sync-memory.js'

const NEXT = 0
const HASH = 4
const UNITS = 8
export const FIRST = 12
export const LAST = 16
export const FIRST_WAITING = 20
const NAME = 24

/** The address of a resource. */
export type Resource = number

/** Of how many units at a time a text is made; the stack limits it. */
const UNITS_AT_ONCE = 4096

/** The resources over a memory. There are `count` buckets, a power of two, from an address that is told once it is known. */
export function makeResources(memory: SyncMemory, count: number) {
  const { get, set } = memory
  let buckets = 0

  const bucketOf = (hash: number): number => buckets + 4 * ((hash ^ (hash >>> 15)) & (count - 1))
  const bytesOf = (units: number): number => NAME + 4 * ((units + 1) >> 1)

  /** The resource of a name, 0 where nobody requests it. */
  function find(name: string, hash: number): Resource {
    for (let at = get(bucketOf(hash)); at !== 0; at = get(at + NEXT)) {
      memory.reach(at + NAME)
      if (get(at + HASH) === hash && get(at + UNITS) === name.length && isNamed(at, name)) return at
    }
    return 0
  }

  function isNamed(resource: Resource, name: string): boolean {
    memory.reach(resource + bytesOf(name.length))
    for (let i = 0; i < name.length; i += 2) {
      if (get(resource + NAME + i * 2) !== pairAt(name, i)) return false
    }
    return true
  }

  /** Makes the resource of a name that has none yet. */
  function make(name: string, hash: number): Resource {
    const resource = memory.allocate(bytesOf(name.length))
    const bucket = bucketOf(hash)
    set(resource + HASH, hash)
    set(resource + UNITS, name.length)
    for (let i = 0; i < name.length; i += 2) set(resource + NAME + i * 2, pairAt(name, i))
    set(resource + NEXT, get(bucket))
    set(bucket, resource)
    return resource
  }

  /** Gives back a resource that nobody requests any more. */
  function remove(resource: Resource): void {
    let before = bucketOf(get(resource + HASH))
    // `next` is a resource's first word, as the first resource is its bucket's.
    while (get(before) !== resource) before = get(before)
    set(before, get(resource + NEXT))
    memory.free(resource, bytesOf(get(resource + UNITS)))
  }

  function nameOf(resource: Resource): string {
    const units = get(resource + UNITS)
    memory.reach(resource + bytesOf(units))
    let name = ''
    for (let from = 0; from < units; from += UNITS_AT_ONCE) {
      const some = new Uint16Array(Math.min(UNITS_AT_ONCE, units - from))
      for (let i = 0; i < some.length; i++) {
        some[i] = get(resource + NAME + ((from + i) >> 1) * 4) >> (i % 2 === 0 ? 0 : 16)
      }
      name += String.fromCharCode(...some)
    }
    return name
  }

  /** All resources, also while those that were given are removed. */
  function* all(): Generator<Resource> {
    for (let bucket = buckets; bucket < buckets + 4 * count; bucket += 4) {
      for (let at = get(bucket); at !== 0; ) {
        memory.reach(at + NAME)
        const next = get(at + NEXT)
        yield at
        at = next
      }
    }
  }

  return {
    find,
    make,
    remove,
    nameOf,
    all,
    bytes: count * 4,
    locate: (address: number): void => void (buckets = address),
  }
}

/** The units at `i` and after it as one word. */
function pairAt(name: string, i: number): number {
  const low = name.charCodeAt(i)
  return i + 1 < name.length ? low | (name.charCodeAt(i + 1) << 16) : low
}

/** FNV-1a, over units instead of bytes. */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5 | 0
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash
}
