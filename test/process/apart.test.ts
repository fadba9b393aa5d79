import { channel } from 'node:diagnostics_channel'
import {
  AdviseSource,
  type Apartment,
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
import { beforeAll, describe, expect, it } from 'vitest'
import { openProcess, type Served } from './opened.js'
import { Account, Counter, Ledger } from './things.js'

let far: Apartment<Served>
let remote: any

beforeAll(async () => {
  far = await openProcess('far')
  remote = far.remote
})

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

  it('is not locked there: its memory is here', async () => {
    await expect(remote.lockedBy(new Account())).rejects.toThrow(
      /^locked takes an object whose memory this thread shares\. This one, Remote<Account>.* is a proxy: .* make what is to be one step one of them\.$/,
    )
    await expect(remote.lockedBy({})).rejects.toThrow('locked takes an object of a free-threaded class.')
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
    for (const on of [{ account: new Account() }, { cause: new Account() }]) {
      await expect(strict.keep(Object.assign(new Error('with it'), on))).rejects.toBeInstanceOf(DowngradeError)
    }
    await expect(remote.keep(new Error('with it', { cause: [new Ledger()] }))).rejects.toBeInstanceOf(DowngradeError)
    const throwing = () => {
      throw Object.assign(new Error('thrown'), { ledger: new Ledger(), code: 5 })
    }
    const thrown = await remote.exclusively(new Mutex(), throwing).catch((e: unknown) => e)
    expect(thrown).toMatchObject({ message: 'thrown', code: 5, ledger: undefined })
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

  it('has here what was counted there just before that process was closed', async () => {
    const progress = new Progress({ total: 100 })
    const closing = await openProcess('closing')
    await (closing.remote as any).work(progress, 3)
    await (closing.remote as any).work(progress, 4)
    await closing.close()
    expect(progress.count).toBe(7)
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

it('S14 a loop that never awaits sees that its caller in another process has given it up', async () => {
  const abort = new AbortController()
  const call = (callWith(remote, { signal: abort.signal }) as any).spinUntilAborted()
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort('enough')
  await expect(call).rejects.toBe('enough')
  // It would never answer again.
  expect(await remote.name()).toBe('far')
})
