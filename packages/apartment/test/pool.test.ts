import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import {
  Apartment,
  ApartmentPool,
  blocking,
  callWith,
  type PoolOptions,
  QueueFullError,
  release,
} from '@flatshare/apartment'
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { afterEach, describe, expect, it } from 'vitest'
import { gate } from './apartments.js'

type Pooled = typeof import('./threads/pooled.js')

const pooled = new URL('./threads/pooled.js', import.meta.url)
const pools: ApartmentPool[] = []

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.terminate()))
})

function newPool<M = Pooled>(options?: PoolOptions, source: URL | (() => Worker) = pooled): ApartmentPool<M> {
  const pool = new ApartmentPool<M>(source, options)
  pools.push(pool)
  return pool
}

/** Occupies one thread: `entered` says which, `open` lets the call end. */
function occupy(hold: (entered: (thread: string) => Promise<unknown>) => Promise<unknown>) {
  const { open, opened } = gate()
  let ended!: Promise<unknown>
  const entered = new Promise<string>((resolve, reject) => {
    ended = hold((thread) => {
      resolve(thread)
      return opened
    })
    ended.catch(reject)
  })
  ended.catch(() => {})
  return { open, entered, ended }
}

describe('a pool', () => {
  it('starts nothing until it is used, then as few threads as it needs', async () => {
    const pool = newPool({ max: 3, name: 'few' })
    expect(pool.stats().threads + pool.stats().starting).toBe(0)
    expect(await pool.remote.where()).toBe('few-1')
    expect(await pool.remote.where()).toBe('few-1')
    expect(pool.members.map(({ name }) => name)).toEqual(['few-1'])
    const held = [1, 2, 3].map(() => occupy((entered) => pool.remote.hold(entered)))
    expect(new Set(await Promise.all(held.map(({ entered }) => entered)))).toEqual(new Set(['few-1', 'few-2', 'few-3']))
    expect(pool.stats()).toMatchObject({ threads: 3, busy: 3, running: 3, queued: 0, completed: 2 })
    for (const { open } of held) open()
    await Promise.all(held.map(({ ended }) => ended))
    expect(pool.stats()).toMatchObject({ busy: 0, running: 0, completed: 5 })
  })

  it('open resolves when its first threads serve, and passes options on', async () => {
    const pool = await ApartmentPool.open<Pooled>(pooled, { min: 2, max: 2, workerData: { a: 1 } })
    pools.push(pool)
    expect(pool.members.length).toBe(2)
    expect(pool.members[0]).toBeInstanceOf(Apartment)
    expect(await pool.remote.data()).toEqual({ a: 1 })
  })

  it('takes a function that makes a worker', async () => {
    const pool = newPool<{ resize(x: number): number }>(
      { size: 2 },
      () => new Worker(new URL('./threads/serving.js', import.meta.url)),
    )
    expect(await Promise.all([pool.remote.resize(1), pool.remote.resize(2)])).toEqual([2, 4])
  })

  it('makes objects where the fewest live, and starts threads for them', async () => {
    const pool = newPool({ max: 2, name: 'spread' })
    const made = await Promise.all([1, 2, 3, 4].map(() => pool.create('Renderer', 'dark')))
    const threads = await Promise.all(made.map((renderer) => renderer.thread()))
    expect(threads.sort()).toEqual(['spread-1', 'spread-1', 'spread-2', 'spread-2'])
    await expect(pool.create('Nothing' as never)).rejects.toThrow(/No class "Nothing" is served here/)
    await expect(pool.create('Renderer', 'fails')).rejects.toThrow(RangeError)
  })

  it('calls by its remote: functions with callbacks, and objects', async () => {
    const pool = newPool({ size: 1, name: 'remote' })
    expect(await pool.remote.apply((x) => x + 1, 4)).toBe(5)
    const settings = await pool.remote.settings
    expect(await settings.depth).toBe(2)
    await expect((pool.remote as any).nothing()).rejects.toThrow(/Nothing is served here under the name "nothing"/)
    expect((pool.remote as any).then).toBeUndefined()
    expect((pool.remote as any).constructor).toBeUndefined()
    expect(() => {
      ;(pool.remote as any).double = 1
    }).toThrow(TypeError)
  })

  it('shows what it does', async () => {
    const pool = newPool({ size: 1, name: 'shown' })
    const renderer = await pool.replicate('Renderer')
    expect(inspect(pool)).toBe('ApartmentPool { name: "shown", threads: 1, running: 0, queued: 0, open }')
    expect(inspect(pool.remote)).toMatch(/\{ home: "shown"/)
    expect(String(renderer)).toMatch(/^Remote<Renderer> \{ home: "shown"/)
    expect(inspect(pool.members[0])).toMatch(/^Apartment \{ name: "shown-1", thread: \d+, connected \}$/)
  })
})

describe('replicas', () => {
  it('are on every thread, also on those that start later, and each call goes to one that is free', async () => {
    const pool = newPool({ min: 2, max: 3, name: 'all' })
    const renderer = await pool.replicate('Renderer', 'dark')
    expect(pool.members.length).toBe(2)
    const held = [1, 2, 3].map(() => occupy((entered) => renderer.hold(entered)))
    expect(new Set(await Promise.all(held.map(({ entered }) => entered)))).toEqual(new Set(['all-1', 'all-2', 'all-3']))
    // A free thread is taken, not the next in turn.
    held[1]!.open()
    const free = await held[1]!.ended
    expect(await Promise.all([renderer.thread(), renderer.thread()])).toEqual([free, free])
    for (const { open } of held) open()
    expect(await renderer.theme).toBe('dark')
    await Promise.all(held.map(({ ended }) => ended))
  })

  it('take callbacks, deadlines and signals as any remote does', async () => {
    const pool = newPool({ size: 1 })
    const renderer = await pool.replicate('Renderer')
    expect(await renderer.through(async () => 'back')).toBe('back')
    expect(await callWith(renderer, { timeout: 60_000 }).deadline()).toBeGreaterThan(Date.now())
    await expect(renderer.fail('on purpose')).rejects.toThrow(RangeError)
    const { open, entered, ended } = occupy((enter) => renderer.hold(enter))
    await entered
    // These wait their turn; the thread is busy.
    await expect(callWith(renderer, { timeout: 10 }).thread()).rejects.toThrow(
      /Renderer.thread\(\): the call could not be/,
    )
    const controller = new AbortController()
    const waiting = callWith(renderer, { signal: controller.signal }).thread()
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(pool.stats().queued).toBe(0)
    open()
    await ended
  })

  it('a call that was given up keeps its thread until it has ended there', async () => {
    const pool = newPool({ size: 2, name: 'deaf' })
    const renderer = await pool.replicate('Renderer')
    const controller = new AbortController()
    const { open, opened } = gate()
    await new Promise<void>((resolve) => {
      const deaf = callWith(renderer, { signal: controller.signal }).deaf(
        async () => resolve(),
        () => opened,
      )
      deaf.catch(() => {})
    })
    controller.abort()
    const threads = await Promise.all([renderer.thread(), renderer.thread(), renderer.thread()])
    expect(new Set(threads).size).toBe(1)
    expect(pool.stats().busy).toBe(1)
    open()
    const first = occupy((entered) => renderer.hold(entered))
    const second = occupy((entered) => renderer.hold(entered))
    expect(new Set([await first.entered, await second.entered]).size).toBe(2)
    first.open()
    second.open()
  })

  it('a call that doesn’t listen can be ended with its thread, which is replaced', async () => {
    const pool = newPool({ size: 1, name: 'busy' })
    const renderer = await pool.replicate('Renderer')
    const controller = new AbortController()
    const impatient = callWith(renderer, { signal: controller.signal, onAbort: 'terminate', graceTime: 1 })
    const busy = impatient.spin(async () => controller.abort(new Error('enough')))
    await expect(busy).rejects.toThrow('enough')
    expect(await renderer.thread()).toBe('busy-2')
  })

  it('a call that is about to end its thread keeps the thread, also while it awaits', async () => {
    const pool = newPool({ size: 1, name: 'awaiting' })
    const controller = new AbortController()
    const impatient = callWith(pool.remote, { signal: controller.signal, onAbort: 'terminate', graceTime: 100 })
    const busy = impatient.spin(async () => controller.abort(new Error('enough')))
    await expect(busy).rejects.toThrow('enough')
    expect(await pool.remote.where()).toBe('awaiting-2')
  })

  it('a call from inside a call of the pool’s never waits for a place of its own chain', async () => {
    const pool = newPool({ size: 1 })
    const renderer = await pool.replicate('Renderer')
    expect(await renderer.through(() => renderer.through(() => renderer.thread()))).toBe('pool-1')
    expect(await renderer.through(() => pool.remote.double(4))).toBe(8)
  })

  it('none is left when a constructor throws', async () => {
    const pool = newPool({ size: 2, name: 'picky' })
    await expect(pool.replicate('Renderer', 'fails on picky-2')).rejects.toThrow('no such theme here')
    const renderer = await pool.replicate('Renderer')
    expect(await renderer.render()).toBe(1)
  })

  it('are let go by release, and the remote says so', async () => {
    const pool = newPool({ size: 2 })
    const renderer = await pool.replicate('Renderer')
    release(renderer)
    await expect(renderer.render()).rejects.toThrow(/this proxy was released/)
    expect(await pool.remote.double(2)).toBe(4)
  })

  it('can be handed to another thread, whose calls are shared out too', async () => {
    const pool = newPool({ size: 2, name: 'handed' })
    const renderer = await pool.replicate('Renderer')
    await using apartment = await Apartment.open<typeof import('./threads/store.js')>(
      new URL('./threads/store.js', import.meta.url),
    )
    const relay = await apartment.create('Relay')
    await relay.hold(renderer)
    const back: any = await relay.held()
    expect(await back.thread()).toMatch(/^handed-/)
    expect(await apartment.remote.resize(1, () => renderer.render())).toBe(1)
    await expect(relay.hold(pool.remote)).rejects.toThrow(/can't cross to another thread/)
  })

  it('block where the caller may', async () => {
    const pool = newPool({ size: 1, name: 'blocked' })
    const renderer = await pool.replicate('Renderer')
    expect(blocking(renderer).thread()).toBe('blocked-1')
    expect(blocking(pool.remote).double(4)).toBe(8)
  })
})

describe('the queue', () => {
  it('is first come first served', async () => {
    const pool = newPool({ size: 1 })
    const renderer = await pool.replicate('Renderer')
    const { open, entered } = occupy((enter) => renderer.hold(enter))
    await entered
    const order: number[] = []
    const calls = [1, 2, 3, 4].map(() => renderer.render().then((n) => order.push(n)))
    expect(pool.stats().queued).toBe(4)
    open()
    await Promise.all(calls)
    expect(order).toEqual([1, 2, 3, 4])
  })

  it('has a limit, beyond which calls reject at once', async () => {
    const pool = newPool({ size: 1, maxQueue: 1, name: 'small' })
    const renderer = await pool.replicate('Renderer')
    const { open, entered } = occupy((enter) => renderer.hold(enter))
    await entered
    const waiting = renderer.render()
    const refused: any = await renderer.render().then(undefined, (error: unknown) => error)
    expect(refused).toBeInstanceOf(QueueFullError)
    expect(refused).toBeInstanceOf(FlatshareError)
    expect(refused.message).toBe(
      'Renderer.render(): the pool "small" is full (running: 1, waiting: 1, maxQueue: 1); the call was not made.',
    )
    expect(refused.stack).toMatch(/pool\.test/)
    open()
    expect(await waiting).toBe(1)
  })

  it('says what of those that wait counts', async () => {
    const pool = newPool({ size: 1, maxQueue: 1, name: 'small' })
    const refused = () => pool.remote.double(3).then(undefined, ({ message }: Error) => message)
    const starting = [pool.remote.double(1), pool.remote.double(2)]
    expect(await refused()).toBe(
      'served.double: the pool "small" is full (running: 0, waiting for threads that start: 1, waiting: 1, maxQueue: 1); ' +
        'the call was not made.',
    )
    expect(await Promise.all(starting)).toEqual([2, 4])
    const { open, entered } = occupy((enter) => pool.remote.hold(enter))
    await entered
    const mapped = Promise.all([pool.map([1, 2], (_renderer, x) => pool.remote.double(x), { concurrency: 2 })])
    // The items are pulled in microtasks.
    await new Promise((resolve) => setImmediate(resolve))
    expect(pool.stats().queued).toBe(2)
    expect(await refused()).toBe(
      'served.double: the pool "small" is full (running: 1, waiting: 2, 2 of map included, maxQueue: 1); ' +
        'the call was not made.',
    )
    open()
    expect(await mapped).toEqual([[2, 4]])
  })

  it('with no room at all still takes as many calls as threads can be started', async () => {
    const pool = newPool({ size: 2, maxQueue: 0 })
    const outcomes = await Promise.allSettled([1, 2, 3].map((x) => pool.remote.double(x)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })

  it('gives a thread as many calls at a time as it may have', async () => {
    const pool = newPool({ size: 1, concurrency: 3 })
    const held = [1, 2, 3].map(() => occupy((entered) => pool.remote.hold(entered)))
    await Promise.all(held.map(({ entered }) => entered))
    const waiting = pool.remote.double(2)
    expect(pool.stats()).toMatchObject({ running: 3, queued: 1 })
    for (const { open } of held) open()
    expect(await waiting).toBe(4)
  })
})

describe('a thread of a pool', () => {
  it('that dies is replaced; its calls reject, those that waited go elsewhere', async () => {
    const pool = newPool({ size: 1, name: 'mortal' })
    const renderer = await pool.replicate('Renderer', 'dark')
    const doomed = renderer.exit()
    const waiting = [renderer.thread(), renderer.theme]
    const error: any = await doomed.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(DisconnectedError)
    expect(error.mayHaveRun).toBe(true)
    expect(await Promise.all(waiting)).toEqual(['mortal-2', 'dark'])
  })

  it('that dies idle is replaced, for min', async () => {
    const pool = await ApartmentPool.open<Pooled>(pooled, { size: 2, name: 'idle' })
    pools.push(pool)
    const [doomed, other] = pool.members
    await doomed!.terminate()
    const renderer = await pool.replicate('Renderer')
    expect(pool.members.map(({ name }) => name)).toEqual([other!.name, 'idle-3'])
    expect(await renderer.render()).toBe(1)
  })

  it('that can’t start is an error for those that wait, and for open; nothing is left', async () => {
    const cell = new SharedArrayBuffer(4)
    const source = new URL('./threads/fails-to-start.js', import.meta.url)
    const options = { size: 3, name: 'never', workerData: { cell, from: 1 } }
    const error: any = await ApartmentPool.open(source, options).then(undefined, (error: unknown) => error)
    expect(error).toBeInstanceOf(FlatshareError)
    expect(error.message).toMatch(/^The pool "never" could not start a thread: .*it fails on purpose$/)
    const pool = newPool<any>({ ...options, size: 1 }, source)
    const before = Atomics.load(new Int32Array(cell), 0)
    const outcomes = await Promise.allSettled([pool.remote.end(), pool.remote.end()])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    // One try for both.
    expect(Atomics.load(new Int32Array(cell), 0) - before).toBe(1)
    expect(pool.stats()).toMatchObject({ threads: 0, starting: 0, queued: 0 })
  })

  it('whose successors can’t start leaves the work to the others', async () => {
    const cell = new SharedArrayBuffer(4)
    const source = new URL('./threads/fails-to-start.js', import.meta.url)
    const pool = newPool<typeof import('./threads/fails-to-start.js')>(
      { min: 1, max: 4, workerData: { cell, from: 2 } },
      source,
    )
    const { open, entered, ended } = occupy((enter) => pool.remote.hold(enter as never))
    await entered
    const more = [1, 2, 3].map(() => pool.remote.hold(async () => 'done'))
    open()
    await ended
    expect(await Promise.all(more)).toEqual(['done', 'done', 'done'])
    const tries = Atomics.load(new Int32Array(cell), 0)
    expect(tries).toBeLessThanOrEqual(4)
  })

  it('that ends again and again, unused, is not started for ever', async () => {
    const cell = new SharedArrayBuffer(4)
    const starts = new Int32Array(cell)
    const source = new URL('./threads/dies-soon.js', import.meta.url)
    const pool = newPool<any>({ size: 1, name: 'sick', workerData: cell }, source)
    await pool.replicate('Nothing').catch(() => {})
    // Each end starts another until there have been three.
    while (pool.stats().threads + pool.stats().starting > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(Atomics.load(starts, 0)).toBeLessThanOrEqual(4)
  })

  it('ends after a while of idleness, down to min, unless somebody holds what lives there', async () => {
    const pool = newPool({ min: 1, max: 3, idleTimeout: 1, name: 'rest' })
    const held = [1, 2, 3].map(() => occupy((entered) => pool.remote.hold(entered)))
    await Promise.all(held.map(({ entered }) => entered))
    for (const { open } of held) open()
    await Promise.all(held.map(({ ended }) => ended))
    while (pool.members.length > 1) await new Promise((resolve) => setImmediate(resolve))
    expect(await pool.remote.double(1)).toBe(2)
  })

  it('keeps objects that are held, however idle it is', async () => {
    const pool = newPool({ min: 0, max: 1, idleTimeout: 1, name: 'kept' })
    const renderer = await pool.create('Renderer', 'dark')
    const [member] = pool.members
    for (let i = 0; i < 20; i++) await renderer.render()
    // It is asked, many times over, and stays.
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(await renderer.render()).toBe(21)
    expect(pool.members[0]).toBe(member)
    release(renderer)
    while (pool.members.length > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await pool.remote.where()).toBe('kept-2')
  })
})

describe('a pool whose threads are ended while it works', () => {
  it('settles every call, runs none twice, and goes on', async () => {
    const pool = newPool({ size: 2, name: 'stormy' })
    const renderer = await pool.replicate('Renderer')
    let ran = 0
    const calls = Array.from({ length: 300 }, async (_, i) => {
      const began = i % 3 === 0 ? renderer.through(async () => ++ran) : renderer.thread()
      return began.then(
        () => 'done',
        (error: unknown) => {
          expect(error).toBeInstanceOf(DisconnectedError)
          return (error as DisconnectedError).mayHaveRun ? 'may have run' : 'not made'
        },
      )
    })
    let ended = 0
    while (pool.stats().queued + pool.stats().running > 0) {
      const [member] = pool.members
      if (member && ended < 8) {
        ended++
        await member.terminate()
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    const outcomes = await Promise.all(calls)
    const lost = outcomes.filter((outcome) => outcome !== 'done').length
    // One place a thread, so one call at most is lost with each.
    expect(lost).toBeLessThanOrEqual(ended)
    expect(ran).toBeLessThanOrEqual(100)
    expect(ran).toBeGreaterThanOrEqual(100 - lost)
    expect(await renderer.theme).toBe('plain')
    await pool.close()
    expect(pool.stats()).toMatchObject({ threads: 0, running: 0, queued: 0, starting: 0 })
  })
})

describe('closing a pool', () => {
  it('lets calls finish that run or wait, and refuses new ones', async () => {
    const pool = newPool({ size: 1, name: 'closing' })
    const renderer = await pool.replicate('Renderer')
    const { open, entered, ended } = occupy((enter) => renderer.hold(enter))
    await entered
    const waiting = renderer.thread()
    const closing = pool.close()
    expect(pool.close()).toBe(closing)
    const refused: any = await renderer.render().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(DisconnectedError)
    expect(refused.mayHaveRun).toBe(false)
    expect(refused.message).toMatch(/the pool "closing" is being closed; the call was not made/)
    await expect(pool.create('Renderer')).rejects.toThrow(/is being closed/)
    open()
    expect(await Promise.all([ended, waiting])).toEqual(['closing-1', 'closing-1'])
    await closing
    expect(pool.stats()).toMatchObject({ threads: 0, starting: 0, running: 0 })
    await expect(renderer.render()).rejects.toThrow(/was closed; the call was not made/)
  })

  it('gives up what takes too long', async () => {
    const pool = newPool({ size: 1 })
    const renderer = await pool.replicate('Renderer')
    const { entered, ended } = occupy((enter) => renderer.hold(enter))
    await entered
    const waiting = renderer.thread().catch((error: unknown) => error)
    await pool.close({ timeout: 20 })
    await expect(ended).rejects.toThrow(DisconnectedError)
    expect(await waiting).toMatchObject({ mayHaveRun: false })
    await expect(pool.close({ timeout: Number.NaN })).rejects.toThrow(RangeError)
  })

  it('by terminate ends it at once, also while threads start', async () => {
    const pool = newPool({ size: 2 })
    const starting = pool.remote.double(1).catch((error: unknown) => error)
    await pool.terminate()
    expect(await starting).toBeInstanceOf(DisconnectedError)
    expect(pool.stats()).toMatchObject({ threads: 0, starting: 0 })
  })

  it('is not needed for the process to end', () => {
    const program = fileURLToPath(new URL('./threads/pool-program.js', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', timeout: 20_000 })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '[ 2, 4, 6 ]\n', stderr: '' })
  })
})

describe('options of a pool', () => {
  it.each<[PoolOptions, typeof TypeError | typeof RangeError]>([
    [{ size: 0 }, RangeError],
    [{ size: 1.5 }, RangeError],
    [{ size: 2, max: 3 }, TypeError],
    [{ min: 3, max: 2 }, RangeError],
    [{ min: -1 }, RangeError],
    [{ max: Number.POSITIVE_INFINITY }, RangeError],
    [{ concurrency: 0 }, RangeError],
    [{ maxQueue: -1 }, RangeError],
    [{ idleTimeout: -1 }, RangeError],
    [{ name: '' }, TypeError],
    [{ transferList: [] } as never, TypeError],
    [{ stdout: true } as never, TypeError],
    [{ keepAlive: 1 as never }, TypeError],
    [5 as never, TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => new ApartmentPool(pooled, options)).toThrow(kind)
  })

  it('a source that is none is refused', () => {
    expect(() => new ApartmentPool('./pooled.js')).toThrow(/write new URL\('.\/pooled.js', import.meta.url\)/)
    expect(() => new ApartmentPool(5 as never)).toThrow(TypeError)
  })
})
