import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { currentThread } from '@flatshare/core'
import { type LockManagerSnapshot, locks } from '@flatshare/sync'
import { afterEach, describe, expect, test } from 'vitest'
import { newName } from './kit.js'
import { Client } from './start.js'

const me = String(currentThread.id)
const clients: Client[] = []

async function start<const N extends number>(count: N): Promise<{ [K in 0 | 1 | 2 | 3]: Client }> {
  const started = await Promise.all(Array.from({ length: count }, () => Client.start()))
  clients.push(...started)
  return started as never
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.worker.terminate()))
})

/** Client and mode of what is held and what waits under a name. */
function of(name: string, { held, pending }: LockManagerSnapshot): { held: string[]; pending: string[] } {
  const list = (infos: typeof held) =>
    infos.filter((info) => info.name === name).map(({ clientId, mode }) => `${clientId} ${mode}`)
  return { held: list(held), pending: list(pending) }
}

const aborted = expect.objectContaining({ name: 'AbortError' })

describe('locks between threads', () => {
  test('one thread at a time is inside of an exclusive lock', async () => {
    const { 0: a, 1: b, 2: c } = await start(3)
    const cells = new Int32Array(new SharedArrayBuffer(16))
    const names = [newName(), newName(), newName()]
    const reports = await Promise.all([a, b, c].map((client) => client.count(names, cells, 300)))
    for (const report of reports) expect(report).toEqual({})
    expect([...cells].slice(0, 3)).toEqual([600, 600, 600])
    expect(of(names[0]!, await locks.query())).toEqual({ held: [], pending: [] })
  })

  test('requests are granted in their order, whichever threads they come from', async () => {
    const { 0: a, 1: b } = await start(2)
    const name = newName()
    const order = new Int32Array(new SharedArrayBuffer(64))
    const first = await a.hold(name)
    const expected: number[] = []
    const mine: Promise<void>[] = []
    for (const who of [b, 'me', a, b, 'me', a, a, b] as const) {
      if (who === 'me') {
        const id = 1000 + mine.length
        expected.push(id)
        mine.push(locks.request(name, () => void (order[Atomics.add(order, 0, 1) + 1] = id)))
      } else {
        const request = await who.request(name, {}, order)
        expected.push(request.id)
        void request.granted.then(request.release)
      }
    }
    first.release()
    await Promise.all(mine)
    await locks.request(name, () => {})
    expect(order[0]).toBe(expected.length)
    expect([...order].slice(1, expected.length + 1)).toEqual(expected)
  })

  test('a shared lock is held by several threads, and an exclusive request waits for all of them', async () => {
    const { 0: a, 1: b } = await start(2)
    const name = newName()
    const [one, other] = [await a.hold(name, { mode: 'shared' }), await b.hold(name, { mode: 'shared' })]
    const writer = locks.request(name, async (lock) => {
      expect(lock.mode).toBe('exclusive')
      return of(name, await locks.query())
    })
    const late = await a.request(name, { mode: 'shared' })
    const seen = of(name, await b.query())
    expect({ held: seen.held.sort(), pending: seen.pending }).toEqual({
      held: [`${a.clientId} shared`, `${b.clientId} shared`].sort(),
      pending: [`${me} exclusive`, `${a.clientId} shared`],
    })
    one.release()
    await one.done
    expect(of(name, await locks.query()).held).toEqual([`${b.clientId} shared`])
    other.release()
    expect(await writer).toEqual({ held: [`${me} exclusive`], pending: [`${a.clientId} shared`] })
    expect(await late.granted).toBe(true)
  })

  test('ifAvailable sees what another thread holds', async () => {
    const { 0: a } = await start(1)
    const name = newName()
    const holder = await a.hold(name)
    expect(await locks.request(name, { ifAvailable: true }, (lock) => lock)).toBeNull()
    holder.release()
    await holder.done
    await locks.request(name, async () => {
      expect(await (await a.request(name, { ifAvailable: true })).granted).toBe(false)
    })
  })

  test('an aborted request leaves the queue for all threads', async () => {
    const { 0: a, 1: b } = await start(2)
    const name = newName()
    const holder = await a.hold(name)
    const controller = new AbortController()
    const pending = locks.request(name, { signal: controller.signal }, () => {})
    const behind = await b.request(name)
    controller.abort()
    await expect(pending).rejects.toEqual(aborted)
    expect(of(name, await a.query())).toEqual({
      held: [`${a.clientId} exclusive`],
      pending: [`${b.clientId} exclusive`],
    })
    behind.abort()
    expect((await behind.done).error).toEqual(aborted)
    holder.release()
    await expect(locks.request(name, () => 'free')).resolves.toBe('free')
  })

  test('a lock is stolen from another thread, whose callback runs on', async () => {
    const { 0: a } = await start(1)
    const name = newName()
    const victim = await a.hold(name)
    let release!: (value: string) => void
    const granted = new Promise<void>((resolve) => {
      void locks.request(name, { steal: true }, () => {
        resolve()
        return new Promise<string>((resolve) => (release = resolve))
      })
    })
    expect((await victim.done).error).toEqual(aborted)
    await granted
    expect(of(name, await a.query())).toEqual({ held: [`${me} exclusive`], pending: [] })
    victim.release()
    expect(await (await a.request(name, { ifAvailable: true })).granted).toBe(false)
    release('released')
    await expect(locks.request(name, () => 'free')).resolves.toBe('free')
  })

  test('a lock is stolen from this thread, which hears of it though it waits for nothing', async () => {
    const { 0: a, 1: b } = await start(2)
    const [name, other] = [newName(), newName()]
    const mine = locks.request(name, () => new Promise<never>(() => {}))
    const kept = locks.request(other, () => mine.catch(() => 'kept'))
    const shared = [await a.hold(other + name, { mode: 'shared' }), await b.hold(other + name, { mode: 'shared' })]
    const thief = await a.hold(name, { steal: true })
    await expect(mine).rejects.toEqual(aborted)
    await expect(kept).resolves.toBe('kept')
    thief.release()
    await locks.request(other + name, { steal: true }, () => {})
    for (const { done } of shared) expect((await done).error).toEqual(aborted)
  })

  test('a query tells each thread by its id', async () => {
    const { 0: a, 1: b } = await start(2)
    const name = newName()
    await a.hold(name, { mode: 'shared' })
    await b.hold(name, { mode: 'shared' })
    await locks.request(name, { mode: 'shared' }, async () => {
      const { held } = of(name, await locks.query())
      expect(held).toEqual([`${a.clientId} shared`, `${b.clientId} shared`, `${me} shared`])
      expect(new Set(held).size).toBe(3)
    })
  })
})

describe('a thread that ends', () => {
  for (const how of ['terminate', 'exit', 'throw'] as const) {
    test(`by ${how} gives up what it holds and what it waits for`, async () => {
      const { 0: a, 1: b } = await start(2)
      const [held, waited] = [newName(), newName()]
      await a.hold(held)
      const holder = await b.hold(waited)
      await a.request(waited)
      const mine = locks.request(held, () => 'granted')
      const behind = locks.request(waited, () => 'granted')
      const robberless = await b.request(held, { mode: 'shared' })
      await a.end(how)
      await expect(mine).resolves.toBe('granted')
      expect(await robberless.granted).toBe(true)
      expect(of(waited, await b.query())).toEqual({ held: [`${b.clientId} exclusive`], pending: [`${me} exclusive`] })
      holder.release()
      await expect(behind).resolves.toBe('granted')
    })
  }

  test('leaves nothing behind, though nobody waits', async () => {
    const { 0: a, 1: b } = await start(2)
    const [one, other] = [newName(), newName()]
    await a.hold(one)
    await a.hold(other, { mode: 'shared' })
    const stays = await b.hold(other, { mode: 'shared' })
    await a.end()
    const snapshot = await locks.query()
    expect(of(one, snapshot)).toEqual({ held: [], pending: [] })
    expect(of(other, snapshot)).toEqual({ held: [`${b.clientId} shared`], pending: [] })
    stays.release()
    await expect(locks.request(other, () => 'free')).resolves.toBe('free')
    await expect(locks.request(one, { ifAvailable: true }, (lock) => lock?.name)).resolves.toBe(one)
  })

  test('can be robbed while it ends', async () => {
    const { 0: a } = await start(1)
    const name = newName()
    await a.hold(name)
    const ending = a.end()
    await expect(locks.request(name, { steal: true }, () => 'stolen')).resolves.toBe('stolen')
    await ending
    await expect(locks.request(name, () => 'free')).resolves.toBe('free')
  })

  test('in the midst of requests leaves the locks whole', async () => {
    const names = [newName(), newName()]
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const { 0: survivor } = await start(1)
    survivor.tell({ do: 'hammer', names, cells })
    for (let round = 0; round < 4; round++) {
      const { 0: a, 1: b } = await start(2)
      for (const client of [a, b]) client.tell({ do: 'hammer', names, cells })
      const until = Atomics.load(cells, 0) + 300
      while (Atomics.load(cells, 0) < until) {
        await locks.request(names[round % 2]!, () => {}).catch((error: Error) => expect(error).toEqual(aborted))
      }
      await Promise.all([a.end(), b.end()])
    }
    await survivor.end()
    for (const name of names) {
      await expect(locks.request(name, { steal: true }, () => 'stolen')).resolves.toBe('stolen')
      await expect(locks.request(name, () => 'free')).resolves.toBe('free')
      expect(of(name, await locks.query())).toEqual({ held: [], pending: [] })
    }
  })
})

describe('the process', () => {
  async function run(program: string) {
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url))
    const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    const [code] = await once(child, 'close')
    return { code, output }
  }

  test('is kept alive by a request that waits', async () => {
    expect(await run('waits-alone')).toEqual({ code: 0, output: 'granted\n' })
  })

  test('is not kept alive by a lock that is held', async () => {
    expect(await run('holds-alone')).toEqual({ code: 0, output: 'held\n' })
  })
})
