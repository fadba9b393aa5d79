import { channel } from 'node:diagnostics_channel'
import {
  AdviseSource,
  Apartment,
  byReference,
  callWith,
  type Downgrade,
  DowngradeError,
  homeOf,
  Mutex,
  modelOf,
  onDowngrade,
  Progress,
  SharedMap,
} from 'flatshare'
import { childProcess } from 'flatshare/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Account, Counter, Ledger } from './things.js'

type Served = typeof import('./served.js')

const module = new URL('./served.js', import.meta.url)
const opened: Apartment[] = []

async function openProcess(name: string): Promise<Apartment<Served>> {
  const apartment = await Apartment.open<Served>(childProcess(module), { name })
  opened.push(apartment)
  return apartment
}

let far: Apartment<Served>
let remote: any

beforeAll(async () => {
  far = await openProcess('far')
  remote = far.remote
})
afterAll(() => Promise.all(opened.map((apartment) => apartment.close())))

describe('S11 a free-threaded object in another process', () => {
  it('is a proxy there, which says so, and whose calls run here', async () => {
    const account = new Account()
    expect(await remote.models(account)).toEqual([
      'apartment',
      expect.objectContaining({ pid: process.pid, thread: 'main', isHere: false }),
    ])
    expect(await remote.deposit(account, 5)).toBe(5)
    expect(await remote.depositBlocking(account, 2)).toBe(7)
    expect(account.balance).toBe(7)
    expect(homeOf(remote)).toMatchObject({ pid: await remote.pid(), thread: 'far', isHere: false })
  })

  it('S8 is one proxy, and the object itself where it comes home', async () => {
    const account = new Account()
    await remote.keep(account)
    expect(await remote.same(account)).toBe(true)
    expect(await remote.kept()).toBe(account)
    expect(modelOf(account)).toBe('free')
  })

  it('is told to who asks: the class, the call, the place, and where it goes', async () => {
    const heard: Downgrade[] = []
    const published: unknown[] = []
    const listen = (message: unknown) => void published.push(message)
    channel('flatshare:downgrade').subscribe(listen)
    {
      using _watching = onDowngrade((downgrade) => heard.push(downgrade))
      await remote.keep({ accounts: [0, new Account()] })
      await remote.keep(new Counter())
    }
    channel('flatshare:downgrade').unsubscribe(listen)
    await remote.keep(new Account())
    const to = expect.objectContaining({ pid: await remote.pid(), thread: 'far' })
    expect(heard).toEqual([{ className: 'Account', call: 'served.keep()', place: '0.accounts.1', to }])
    expect(published).toEqual(heard)
  })

  it('is refused by the call, or by its class, before anything is sent', async () => {
    await remote.keep('before')
    const strict = callWith(remote, { downgrade: 'refuse' }) as any
    const error = await strict.keep([new Account()]).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(DowngradeError)
    expect(error.message).toMatch(
      /^served\.keep\(\): the Account at 0\.0 would arrive as a mere proxy.*downgrade: 'refuse'/,
    )
    await expect(remote.keep(new Ledger())).rejects.toThrow(/^served\.keep\(\): the Ledger.*crossing: 'memory-only'/)
    expect(await remote.kept()).toBe('before')
    await strict.keep(new Counter())
    await expect(remote.requireFree(new Account())).rejects.toBeInstanceOf(DowngradeError)
  })

  it('is used there as it is here where it is a container', async () => {
    const map = new SharedMap<string, number>({ key: 'string', value: 'f64' } as never)
    map.set('here', 1)
    const [size, entries] = await remote.fill(map)
    expect(size).toBe(2)
    expect(new Map(entries)).toEqual(
      new Map([
        ['here', 1],
        ['there', 2],
      ]),
    )
    expect(map.get('there')).toBe(2)
  })
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

  it('S13 is free again when that process ends', async () => {
    const mutex = new Mutex()
    const doomed = await openProcess('doomed')
    await (doomed.remote as any).lock(mutex)
    expect(mutex.tryLock()).toBeUndefined()
    await doomed.terminate()
    using guard = await mutex.lock({ timeout: 10_000 })
    expect(guard).toBeDefined()
  })
})

describe('a progress in another process', () => {
  it('moves here as it is reported there, and ends', async () => {
    const progress = new Progress({ total: 4, label: 'far away' })
    expect(await remote.work(progress, 2)).toBe(true)
    await expect.poll(() => progress.count).toBe(2)
    progress.advance()
    await remote.work(progress, 1)
    await expect.poll(() => progress.value).toBe(progress.max)
    await remote.keep(progress)
    expect(await remote.kept()).toBe(progress)
    const other = new Progress()
    await remote.finish(other)
    await expect.poll(() => other.value).toBe(other.max)
  })

  it('S37 is cancelled from here', async () => {
    const progress = new Progress()
    const reason = remote.workUntilCancelled(progress)
    await remote.name()
    progress.cancel(new RangeError('enough'))
    expect(await reason).toMatchObject({ name: 'RangeError', message: 'enough' })
  })
})

describe('an advise source in another process', () => {
  it('S26 notifies sinks there, until they are unadvised', async () => {
    const source = new AdviseSource<{ made: { name: string } }>({ events: ['made'] })
    await remote.subscribe(source)
    expect(source.connections).toBe(1)
    for (const name of ['a', 'b', 'c']) source.raise('made', { name })
    await expect.poll(async () => (await remote.whatWasHeard()).length).toBe(3)
    expect((await remote.whatWasHeard()).map(({ payload }: any) => payload.name)).toEqual(['a', 'b', 'c'])
    await remote.unsubscribe()
    expect(source.connections).toBe(0)
    source.raise('made', { name: 'late' })
    expect(await remote.whatWasHeard()).toHaveLength(3)
  })
})

describe('a reference to a third thread', () => {
  it('is called by way of the thread that handed it on, and is that proxy where it comes back', async () => {
    const worker = await Apartment.open<Served>(module, { name: 'worker' })
    opened.push(worker)
    const counter = await worker.create('Counter')
    expect(await remote.add(counter, 3)).toBe(3)
    expect(await counter.add(1)).toBe(4)
    await remote.keep(counter)
    expect(await remote.kept()).toBe(counter)
    expect(await remote.models(counter)).toEqual(['apartment', expect.objectContaining({ thread: 'worker' })])
    await expect(remote.fails(counter)).rejects.toBeInstanceOf(TypeError)
  })

  it('of another process reaches threads of this one, and other processes', async () => {
    const counter = await (far as any).create('Counter')
    const worker = await Apartment.open<Served>(module, { name: 'worker' })
    const third = await openProcess('third')
    opened.push(worker)
    expect(await (worker.remote as any).add(counter, 3)).toBe(3)
    expect(await (third.remote as any).add(counter, 4)).toBe(7)
    expect(await (third.remote as any).models(counter)).toEqual([
      'apartment',
      expect.objectContaining({ thread: 'far', pid: await remote.pid() }),
    ])
    expect(await (worker.remote as any).kept()).toBeUndefined()
    await (third.remote as any).keep(counter)
    expect(await (third.remote as any).kept()).toBe(counter)
  })

  it('S14 passes on the deadline of its caller', async () => {
    const third = await openProcess('fourth')
    const asked = byReference({ deadline: () => (third.remote as any).myDeadline() })
    const deadline = await (callWith(remote, { timeout: 60_000 }) as any).deadlineOf(asked)
    expect(deadline - Date.now()).toBeLessThanOrEqual(60_000)
    expect(deadline - Date.now()).toBeGreaterThan(30_000)
  })
})

it('S14 a loop that never awaits sees that its caller in another process has given it up', async () => {
  const abort = new AbortController()
  const call = (callWith(remote, { signal: abort.signal }) as any).spinUntilAborted()
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort('enough')
  await expect(call).rejects.toBe('enough')
  // It would never answer again.
  expect(await remote.name()).toBe('far')
})
