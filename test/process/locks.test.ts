/** Locks of this process, as another one has them. */
import { DisconnectedError, Mutex, RwLock, Semaphore } from 'flatshare'
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
