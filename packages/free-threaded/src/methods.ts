/** Wrapping a class's methods and accessors so that they run under the object's lock. */
import { FlatshareError } from '@flatshare/core'
import {
  type FunctionKind,
  functionKind,
  type MemberNote,
  type MemberNotes,
  ownMemberNotes,
  views,
  wrapMember,
} from '@flatshare/core/internal'
import { type Access, makeAccess } from './access.js'
import { adopt } from './adoption.js'
import { runInside, runReading } from './async-hold.js'
import { isAttached } from './handle.js'
import { type Entry, enter as enterLock, isOwn, leave as leaveLock, REENTERED } from './object-lock.js'
import { enterToRead, leaveRead } from './reading.js'
import { refuseOptimistic } from './reads.js'
import {
  beginOptimisticRead,
  beginRead,
  endOptimisticRead,
  endRead,
  reads as readsInProgress,
  readsOptimistically,
} from './reads-in-progress.js'
import { classesOf, label, type Shape } from './shape.js'
import { refusePromise } from './synchronous.js'
import { versions } from './versions.js'

// What a module imports, engines load and check at each use; what it defines they compile in.
const enter = enterLock
const leave = leaveLock
const reads = readsInProgress
const memory = views
const { begin, isUnchanged } = versions

/**
 * Wraps the own members of a class, and of the undecorated classes between it and its nearest
 * free-threaded parent (whose members are wrapped already).
 *
 * @throws FlatshareError for generators: their code runs between two calls, when nobody holds the lock.
 */
export function wrapMembers(shape: Shape, notes: MemberNotes, unlocked: ReadonlySet<PropertyKey>): void {
  const seen = new Set<PropertyKey>(['constructor'])
  for (const Class of classesOf(shape.Class)) {
    const members = Class === shape.Class ? notes : ownMemberNotes(Class)
    const prototype = Class.prototype as object
    for (const key of Reflect.ownKeys(prototype)) {
      if (seen.has(key)) continue
      seen.add(key)
      const said = members.get(key) ?? []
      const says = (decorator: string) => said.find((note) => note.decorator === decorator)
      if (shape.slots.has(key) || says('PerThread')) continue
      if (says('Unlocked') || (Class === shape.Class && unlocked.has(key))) continue
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!
      const group = shape.groups.get((says('Guarded')?.['group'] as string | undefined) ?? '')!
      const access = makeAccess(`${shape.name}.${label(key)}`, group)
      const reads = says('Reads')
      wrapMember(shape.prototype, key, descriptor, (fn) =>
        // A setter is there to write, whatever its getter does.
        reads && fn !== descriptor.set ? reading(fn, access, shape, reads) : underLock(fn, access, shape),
      )
    }
  }
}

function underLock(fn: Function, access: Access, shape: Shape): Function {
  const kind = functionKind(fn)
  if (kind === 'plain') return lockedMethod(fn, access, shape)
  if (kind === 'async') return lockedAsyncMethod(fn, access, shape)
  throw generatorRefused(access.name, kind)
}

function reading(fn: Function, access: Access, shape: Shape, { optimistic }: MemberNote): Function {
  const kind = functionKind(fn)
  if (kind === 'async') return optimistic ? refuseOptimistic(access.name) : readingAsyncMethod(fn, access, shape)
  if (kind !== 'plain') throw generatorRefused(access.name, kind)
  const method = readingMethod(fn, access, shape)
  return optimistic ? marked(optimisticMethod(fn, access, shape, method), { access, reads: true }) : method
}

/** How a synchronous method locks. */
interface Locking {
  readonly access: Access
  readonly reads: boolean
}

/**
 * On synchronous methods that take the lock, for `nonBlocking`: it has to take it first. A property, since
 * whoever wraps the wrapper copies those.
 */
const LOCKS = Symbol('flatshare.locks')

export function lockingOf(fn: Function): Locking | undefined {
  return (fn as { [LOCKS]?: Locking })[LOCKS]
}

function marked(method: Function, locking: Locking): Function {
  Object.defineProperty(method, LOCKS, { value: locking })
  return method
}

// The wrappers hand `arguments` on: it is as fast as named parameters, and the method sees how many there are.

function lockedMethod(fn: Function, access: Access, { addressOf }: Shape): Function {
  const { lockOffset } = access
  const method = function (this: object): unknown {
    let address = addressOf(this)
    if (address <= 0) address = adopt(this)
    const lock = address + lockOffset
    const entry = enter(this, lock, access)
    let result: unknown
    try {
      // biome-ignore lint/complexity/noArguments: see above.
      result = fn.apply(this, arguments)
    } catch (error) {
      throw failed(error, this, lock, access, entry)
    }
    // Whoever entered first explains errors, and looks at the result.
    if (entry === 0) return result
    leave(this, lock, access, entry)
    return typeof result === 'object' ? settled(result, access) : result
  }
  return marked(method, { access, reads: false })
}

function failed(error: unknown, object: object, lock: number, access: Access, entry: Entry): unknown {
  if (entry === REENTERED) return error
  leave(object, lock, access, entry)
  return explained(error, object, access.name)
}

function settled(result: object | null, { name }: Access): object | null {
  if (result !== null) refusePromise(result, name)
  return result
}

function lockedAsyncMethod(fn: Function, access: Access, { addressOf }: Shape): Function {
  return async function (this: object): Promise<unknown> {
    // biome-ignore lint/complexity/noArguments: see above.
    const args = arguments
    let address = addressOf(this)
    if (address <= 0) address = adopt(this)
    try {
      return await runInside(this, address + access.lockOffset, access, () => fn.apply(this, args) as unknown)
    } catch (error) {
      throw explained(error, this, access.name)
    }
  }
}

function readingAsyncMethod(fn: Function, access: Access, { addressOf }: Shape): Function {
  return async function (this: object): Promise<unknown> {
    // biome-ignore lint/complexity/noArguments: see above.
    const args = arguments
    let address = addressOf(this)
    if (address <= 0) address = adopt(this)
    try {
      return await runReading(this, address + access.lockOffset, access, () => fn.apply(this, args) as unknown)
    } catch (error) {
      throw explained(error, this, access.name)
    }
  }
}

function readingMethod(fn: Function, access: Access, { addressOf }: Shape): Function {
  const { lockOffset, name } = access
  const method = function (this: object): unknown {
    let address = addressOf(this)
    if (address <= 0) address = adopt(this)
    const lock = address + lockOffset
    const entry = enterToRead(this, lock, access)
    // biome-ignore lint/complexity/noArguments: see above.
    if (entry === REENTERED) return fn.apply(this, arguments)
    beginRead(lock, name)
    let result: unknown
    try {
      // biome-ignore lint/complexity/noArguments: see above.
      result = fn.apply(this, arguments)
    } catch (error) {
      throw explained(error, this, name)
    } finally {
      endRead()
      leaveRead(this, lock, access, entry)
    }
    return typeof result === 'object' ? settled(result, access) : result
  }
  return marked(method, { access, reads: true })
}

/**
 * The usual case, small enough to be compiled into its caller with all that it calls: nobody is inside, the running code
 * reads no other object, and nothing goes wrong. Else all is done again, in the longer way.
 */
function optimisticMethod(fn: Function, access: Access, { addressOf }: Shape, underLock: Function): Function {
  const { lockOffset, name } = access
  const longer = optimisticTries(fn, access, addressOf, underLock)
  return function (this: object): unknown {
    const address = addressOf(this)
    const lock = address + lockOffset
    // biome-ignore lint/complexity/noArguments: see above.
    if (address <= 0 || reads.lock !== 0 || memory.i32[lock >> 2] !== 0) return longer.apply(this, arguments)
    const version = begin(lock)
    reads.lock = ~lock
    reads.name = name
    reads.optimistic = 1
    let result: unknown
    let failed = false
    try {
      // biome-ignore lint/complexity/noArguments: see above.
      result = fn.apply(this, arguments)
    } catch {
      failed = true
    }
    reads.lock = 0
    reads.optimistic = 0
    // biome-ignore lint/complexity/noArguments: see above.
    if (failed || !isUnchanged(lock, version)) return longer.apply(this, arguments)
    return typeof result === 'object' ? settled(result, access) : result
  }
}

/** So often a method runs without the lock before it waits for those who write. */
const TRIES = 8

function optimisticTries(fn: Function, access: Access, addressOf: Shape['addressOf'], underLock: Function): Function {
  const { lockOffset, name } = access
  return function (this: object): unknown {
    const address = addressOf(this)
    const lock = address + lockOffset
    const isInside = address > 0 && (isOwn(lock) || readsOptimistically(lock))
    for (let tries = address > 0 && !isInside ? TRIES : 0; tries > 0; tries--) {
      const version = begin(lock)
      let result: unknown
      let failed = false
      beginOptimisticRead(lock, name)
      try {
        // biome-ignore lint/complexity/noArguments: see above.
        result = fn.apply(this, arguments)
      } catch (error) {
        failed = true
        result = error
      }
      endOptimisticRead()
      if (!isUnchanged(lock, version)) continue
      if (failed) throw explained(result, this, name)
      return typeof result === 'object' ? settled(result, access) : result
    }
    // biome-ignore lint/complexity/noArguments: see above.
    return underLock.apply(this, arguments)
  }
}

/** How the engines say that an object has no such # member. */
const PRIVATE_MISSING = /private (member|field|method|name)|class did not declare it|must be an instance of class/

/** On an attached object neither constructor nor field initialisers ran: there are no # members. */
function explained(error: unknown, object: object, member: string): unknown {
  if (!(error instanceof TypeError)) return error
  if (/not extensible/.test(error.message)) {
    return new FlatshareError(
      `${member} adds a field to an object that other threads hold; they would not see it. Declare the field, and ` +
        'decorate it with @Shared(type) or @PerThread().',
      { cause: error },
    )
  }
  if (!isAttached(object) || !PRIVATE_MISSING.test(error.message)) return error
  return new FlatshareError(
    `${member} uses a # member, and this object was made on another thread: # members exist only where the ` +
      'constructor ran. Keep state in @Shared(type) fields, or in @PerThread() ones, which each thread makes for itself.',
    { cause: error },
  )
}

function generatorRefused(member: string, kind: FunctionKind): FlatshareError {
  return new FlatshareError(
    `${member} can't be ${kind === 'generator' ? 'a generator' : 'an async generator'}: its code runs between its ` +
      "caller's steps, and no lock can be held for that long. Give back an array, or mark it @Unlocked().",
  )
}
