/** Locks of this process, as another one has them. */
import {
  Barrier,
  Condition,
  DisconnectedError,
  DowngradeError,
  homeOf,
  Latch,
  Mutex,
  Once,
  RwLock,
  Semaphore,
  SharedQueue,
  Signal,
} from 'flatshare'
import { beforeAll, describe, expect, it } from 'vitest'
import { openProcess } from './opened.js'

let remote: any

beforeAll(async () => {
  remote = (await openProcess('far')).remote
})

describe('S11 a lock in another process', () => {
  it('is the same lock', async () => {
    const mutex = new Mutex()
    await remote.lock(mutex)
    expect(mutex.tryLock()).toBeUndefined()
    await remote.unlock()
    const guard = mutex.tryLock()!
    expect(guard).toBeDefined()
    const waiting = remote.lock(mutex)
    guard.release()
    await waiting
    expect(mutex.tryLock()).toBeUndefined()
    await remote.dropGuard()
    using again = await mutex.lock()
    expect(again).toBeDefined()
  })

  it('is held while a function of the other process runs', async () => {
    const mutex = new Mutex()
    const seen = await remote.exclusively(mutex, () => mutex.tryLock() === undefined)
    expect(seen).toBe(true)
    mutex.tryLock()!.release()
  })

  it('S18 tells code that holds it, and wants it, as at home; a reentrant one lets it in', async () => {
    const mutex = new Mutex()
    await expect(remote.twice(mutex)).rejects.toMatchObject({ name: 'DeadlockError' })
    expect(mutex.isLocked()).toBe(false)
    expect(await remote.twice(new Mutex({ reentrant: true }))).toBe('both')
  })

  it('is not kept by a call that was given up', async () => {
    const mutex = new Mutex()
    const guard = await mutex.lock()
    let asked = 0
    expect(await remote.giveUp(mutex, () => void asked++)).toBe('not now')
    expect(asked).toBe(2)
    guard.release()
    using again = await mutex.lock()
    expect(again.abandoned).toBe(false)
  })

  it('is not kept by a call that nobody is told of', async () => {
    const mutex = new Mutex()
    await remote.lockUnheard(mutex)
    using guard = await mutex.lock()
    expect(guard.abandoned).toBe(false)
  })
})

/** The members by which an object gives something at once, or not at all. */
function synchronousMembersOf(x: object): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(x)).filter((name) => /^try[A-Z]|Sync$/.test(name))
}

describe('S11 what takes something at once, of a lock in another process', () => {
  const all: Array<[object, count: number]> = [
    [new Mutex(), 3],
    [new RwLock(), 8],
    [new Semaphore(1), 3],
    [new Signal(), 2],
    [new Condition(), 1],
    [new Barrier(2), 1],
    [new Latch(1), 3],
    [new Once(), 1],
    [new SharedQueue({ of: 'json', capacity: 1 }), 4],
  ]

  it.each(all.map(([x, count]) => [x.constructor.name, x, count] as const))(
    'is refused, and says what to do: %s',
    async (name, x, count) => {
      const members = synchronousMembersOf(x)
      expect(members).toHaveLength(count)
      const variable = name.charAt(0).toLowerCase() + name.slice(1)
      for (const member of members) {
        const message: string = await remote.refusal(x, member)
        expect(message).toContain(`${name}.${member}() `)
        expect(message).toContain(`Instead: await ${variable}.`)
        const instead = /await \w+\.(\w+)/.exec(message)![1]!
        expect(instead in x).toBe(true)
        expect(synchronousMembersOf(x)).not.toContain(instead)
      }
    },
  )

  it('is refused before anything is taken', async () => {
    const mutex = new Mutex()
    expect(await remote.refusal(mutex, 'tryLock')).toBe(
      'Mutex.tryLock() would answer too late by a proxy: whoever calls it takes the promise for the answer. ' +
        `The Mutex lives in another process (pid ${process.pid}, on the thread "main"). Nothing was sent. ` +
        'Instead: await mutex.lock({ timeout: 0 }), or blocking(mutex).tryLock().',
    )
    expect(await remote.refusal(mutex, 'lockSync')).toMatch(/await mutex\.lock\(\), or blocking\(mutex\)\.lock\(\)\.$/)
    expect(mutex.isLocked()).toBe(false)
    const queue = new SharedQueue<string>({ of: 'json', capacity: 2 })
    queue.tryPut('kept')
    expect(await remote.refusal(queue, 'tryTake')).toMatch(/await sharedQueue\.take\(\{ timeout: 0 \}\)/)
    expect(await remote.refusal(queue, 'tryPut')).toMatch(/or blocking\(sharedQueue\)\.tryPut\(value\)\.$/)
    expect(queue.drain()).toEqual(['kept'])
  })

  it('is refused wherever the proxy is: here, and where it was handed on', async () => {
    const mutex = await remote.newMutex()
    expect(() => mutex.tryLock()).toThrow(DowngradeError)
    const third = (await openProcess('third')).remote as any
    expect(await third.refusal(mutex, 'tryLock')).toContain(`(pid ${homeOf(mutex).pid}, on the thread "far")`)
    using guard = await mutex.lock()
    expect(await guard.abandoned).toBe(false)
  })

  it('is given, and given back, by a call that blocks', async () => {
    const mutex = new Mutex()
    expect(await remote.takeBlocking(mutex, 'tryLock')).toBe(true)
    expect(mutex.tryLock()).toBeUndefined()
    await remote.unlock()
    const guard = mutex.tryLock()!
    expect(await remote.takeBlocking(mutex, 'tryLock')).toBe(false)
    guard.release()
    expect(await remote.takeBlocking(mutex, 'lock')).toBe(true)
    expect(mutex.isLocked()).toBe(true)
    await remote.unlock()
    expect(mutex.isLocked()).toBe(false)
  })

  it('is asked for by a lock that does not wait', async () => {
    const mutex = new Mutex()
    const guard = mutex.lockSync()
    expect(await remote.lockNow(mutex)).toBe('TimeoutError')
    guard.release()
    expect(await remote.lockNow(mutex)).toBe('has it')
    expect(mutex.isLocked()).toBe(true)
    await remote.unlock()
    expect(mutex.isLocked()).toBe(false)
  })

  it('is refused by a call that blocks, too, where it would call a function', async () => {
    const mutex = new Mutex()
    expect(await remote.refusalBlocking(mutex, 'runExclusiveSync')).toMatch(
      /can't be called by a proxy.*Instead: blocking\(mutex\)\.runExclusive\(fn\)\.$/,
    )
    expect(await remote.refusalBlocking(new Condition(), 'waitSync')).toMatch(/blocking\(condition\)\.wait\(guard\)/)
    expect(await remote.runBlocking(mutex, () => mutex.isLocked())).toBe(true)
    expect(mutex.isLocked()).toBe(false)
  })

  it('is refused by a guard that reads: its upgrade is awaited', async () => {
    const lock = new RwLock()
    await remote.take(lock, 'read')
    expect(await remote.refusalOfGuard('tryUpgrade')).toMatch(/await readGuard\.upgrade\(\{ timeout: 0 \}\)/)
    expect(await remote.refusalOfGuard('upgradeSync')).toMatch(/await readGuard\.upgrade\(\)/)
    expect(lock.isWriteLocked()).toBe(false)
    await remote.upgrade()
    expect(lock.isWriteLocked()).toBe(true)
    await remote.unlock()
    expect(lock.isLocked()).toBe(false)
  })
})

describe('S13 a lock that is held in a process', () => {
  const locks: Array<[what: string, lock: object, method: string, again: string, abandoned: boolean]> = [
    ['a mutex', new Mutex(), 'lock', 'lock', true],
    ['an RwLock that it writes by', new RwLock(), 'write', 'write', true],
    ['an RwLock that it reads by', new RwLock(), 'read', 'write', false],
    ['a semaphore', new Semaphore(1), 'acquire', 'acquire', true],
    ['a mutex for a function', new Mutex(), 'runExclusive', 'lock', true],
    ['an RwLock for a function that writes', new RwLock(), 'runWriting', 'write', true],
    ['a semaphore for a function', new Semaphore(1), 'run', 'acquire', true],
  ]

  it.each(locks)('is free when that ends, and says so: %s', async (_, lock, method, again, abandoned) => {
    const doomed = await openProcess('doomed')
    if (method.startsWith('run')) {
      let ended: Promise<unknown> | undefined
      await new Promise<void>((begun) => {
        ended = (doomed.remote as any).takeFor(lock, method, begun).catch((error: unknown) => error)
      })
      await doomed.terminate()
      expect(await ended).toBeInstanceOf(DisconnectedError)
    } else {
      expect(await (doomed.remote as any).take(lock, method)).toBe(false)
      await doomed.terminate()
    }
    const guard = await (lock as any)[again]()
    expect(guard.abandoned).toBe(abandoned)
    guard.release()
    const next = await (lock as any)[again]()
    expect(next.abandoned).toBe(false)
    next.release()
  })

  it('goes to the next one also where the one that waited for it has ended', async () => {
    const mutex = new Mutex()
    const guard = await mutex.lock()
    const doomed = await openProcess('doomed')
    let waits: Promise<unknown> | undefined
    await new Promise<void>((asked) => {
      waits = (doomed.remote as any).askFor(mutex, 'lock', asked).catch((error: unknown) => error)
    })
    await doomed.terminate()
    expect(await waits).toBeInstanceOf(DisconnectedError)
    guard.release()
    using again = await mutex.lock()
    expect(again.abandoned).toBe(false)
  })
})
