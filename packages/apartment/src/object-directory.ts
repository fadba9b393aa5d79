/**
 * The directory of the global object table, in shared memory: which thread has registered which name.
 *
 *   table   +0 lock   +4 last number   +8 deaths that were seen   +12 heads of its lists, by the name's hash
 *   entry   +0 next   +4 hash   +8 number   +12 home   +16 value, +20 its bytes   +24 units of the name
 *           +28 the name, in UTF-16
 *
 * `home` is the thread that registered; the object stays there. `value` is 0, or the address of a free-threaded object
 * in the codec's bytes: those any thread unpacks for itself, also while the home blocks.
 *
 * All of it is read and written under the one lock, which is held for a walk through a list. `next` is the truth: an
 * entry is linked, whole, and unlinked by one store, so a thread that dies inside leaves the lists whole and can lose
 * one block.
 *
 * Invariants: of the entries of one name at most one has a home that is alive; a number names one registration;
 * entries of the dead count for nothing from the moment of the death, and the first who looks after it frees them.
 */
import {
  allocate,
  decodeValue,
  free,
  freeValue,
  i32,
  isAlive,
  lockShortly,
  ownThreadId,
  reach,
  sharedBlock,
  type ThreadId,
  threadsEnded,
  u8,
  u16,
  unlockShortly,
  writeValue,
} from '@flatshare/core/internal'

const LAST_NUMBER = 4
const DEATHS_SEEN = 8
const HEADS = 12
const LISTS = 256

const NEXT = 0
const HASH = 4
const NUMBER = 8
const HOME = 12
const VALUE = 16
const VALUE_BYTES = 20
const UNITS = 24
const NAME = 28

/** A name's registration, as it was found. */
export interface Found {
  readonly number: number
  readonly home: ThreadId
  /** Makes the object here; undefined where its home must be asked for it. */
  readonly value: (() => unknown) | undefined
}

const get = (address: number) => Atomics.load(i32, address >> 2)
const set = (address: number, word: number) => void Atomics.store(i32, address >> 2, word)

function inside<R>(use: (table: number) => R): R {
  ownThreadId()
  const table = sharedBlock('objectTable', HEADS + LISTS * 4)
  lockShortly(table >> 2)
  try {
    const deaths = threadsEnded()
    if (get(table + DEATHS_SEEN) !== deaths) {
      sweep(table)
      set(table + DEATHS_SEEN, deaths)
    }
    return use(table)
  } finally {
    unlockShortly(table >> 2)
  }
}

function hashOf(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return hash
}

const headOf = (table: number, hash: number) => table + HEADS + ((hash ^ (hash >>> 16)) & (LISTS - 1)) * 4

/** Follows a link, to an entry that another thread may have made where this one has not looked yet. */
function follow(link: number): number {
  const entry = get(link)
  if (entry !== 0) {
    reach(entry + NAME)
    reach(entry + NAME + get(entry + UNITS) * 2)
  }
  return entry
}

function nameAt(entry: number): string {
  const start = (entry + NAME) >> 1
  let name = ''
  for (let i = 0, units = get(entry + UNITS); i < units; i++) name += String.fromCharCode(u16[start + i]!)
  return name
}

/** The link to the name's entry; undefined where there is none of a living thread. */
function linkTo(table: number, name: string): number | undefined {
  const hash = hashOf(name)
  let link = headOf(table, hash)
  for (let entry = follow(link); entry !== 0; entry = follow(link)) {
    if (get(entry + HASH) === hash && nameAt(entry) === name && isAlive(get(entry + HOME))) return link
    link = entry + NEXT
  }
  return undefined
}

/** Unlinks an entry and frees it; gives its value, which is the caller's then. */
function unlink(link: number): number {
  const entry = get(link)
  const value = get(entry + VALUE)
  set(link, get(entry + NEXT))
  free(entry, NAME + get(entry + UNITS) * 2)
  return value
}

function sweep(table: number): void {
  for (let i = 0; i < LISTS; i++) {
    let link = table + HEADS + i * 4
    for (let entry = follow(link); entry !== 0; entry = follow(link)) {
      if (isAlive(get(entry + HOME))) link = entry + NEXT
      else {
        const value = unlink(link)
        // What the dead had on its way is taken back by those who keep it.
        if (value !== 0) freeValue(value)
      }
    }
  }
}

/**
 * Enters a name for this thread; gives the number of the registration, or the thread that has the name. `object` is
 * a free-threaded one, which goes along.
 */
export function enter(name: string, object?: object): { number: number } | { takenBy: ThreadId } {
  // Outside of the lock: packing runs other packages' code.
  const value = object && writeValue(object, { table: true })
  let entry = 0
  let entered = false
  try {
    entry = allocate(NAME + name.length * 2)
    set(entry + HASH, hashOf(name))
    set(entry + HOME, ownThreadId())
    set(entry + VALUE, value?.address ?? 0)
    set(entry + VALUE_BYTES, value?.bytes ?? 0)
    set(entry + UNITS, name.length)
    for (let i = 0; i < name.length; i++) u16[((entry + NAME) >> 1) + i] = name.charCodeAt(i)
    return inside((table) => {
      const known = linkTo(table, name)
      if (known !== undefined) return { takenBy: get(get(known) + HOME) }
      const number = (get(table + LAST_NUMBER) + 1) & 0x7fffffff
      set(table + LAST_NUMBER, number)
      set(entry + NUMBER, number)
      const head = headOf(table, get(entry + HASH))
      set(entry + NEXT, get(head))
      set(head, entry)
      entered = true
      return { number }
    })
  } finally {
    if (!entered) {
      if (entry !== 0) free(entry, NAME + name.length * 2)
      if (value) freeValue(value.address, { unread: true })
    }
  }
}

/** Looks a name up. */
export function find(name: string): Found | undefined {
  return inside((table) => {
    const link = linkTo(table, name)
    if (link === undefined) return undefined
    const entry = get(link)
    const address = get(entry + VALUE)
    const found = { number: get(entry + NUMBER), home: get(entry + HOME), value: undefined }
    if (address === 0) return found
    const end = address + get(entry + VALUE_BYTES)
    reach(end)
    // A copy: they may be freed as soon as the lock is.
    const bytes = u8.slice(address, end)
    return { ...found, value: () => decodeValue(bytes) }
  })
}

/** Ends a registration of this thread's; false where it has ended already. */
export function leave(name: string, number: number): boolean {
  const value = inside((table) => {
    const link = linkTo(table, name)
    return link === undefined || get(get(link) + NUMBER) !== number ? undefined : unlink(link)
  })
  if (value) freeValue(value, { unread: true })
  return value !== undefined
}

/** All names of living threads, in the order in which they were registered. */
export function registeredNames(): string[] {
  const found: Array<{ number: number; name: string }> = []
  inside((table) => {
    for (let i = 0; i < LISTS; i++) {
      for (let entry = follow(table + HEADS + i * 4); entry !== 0; entry = follow(entry + NEXT)) {
        if (isAlive(get(entry + HOME))) found.push({ number: get(entry + NUMBER), name: nameAt(entry) })
      }
    }
  })
  return found.sort((a, b) => a.number - b.number).map(({ name }) => name)
}
