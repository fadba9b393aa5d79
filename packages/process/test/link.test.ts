import { BlockList } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import {
  ApartmentThreaded,
  callWith,
  currentCall,
  DisconnectedError,
  homeOf,
  NotMarshalableError,
  release,
  serve,
  transfer,
} from '@flatshare/apartment'
import { createBy, ROOT } from '@flatshare/apartment/internal'
import { modelOf, onThreadExit } from '@flatshare/core'
import { afterEach, describe, expect, it } from 'vitest'
import { values } from '../../core/dist-test/codec-values.js'
import { aliases } from '../dist/translate.js'
import { type Linked, linked } from './linked.js'

/** What every WebAssembly module begins with. */
const emptyModule = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))

class Counter {
  count = 0
  add(n: number): number {
    this.count += n
    return this.count
  }
  get value(): number {
    return this.count
  }
  async again(callback: (counter: Counter) => unknown): Promise<unknown> {
    return await callback(this)
  }
  self(): this {
    return this
  }
}
ApartmentThreaded()(Counter)

/** Of a class of its own, which nobody has heard of before. */
class Late {
  count = 0
  add(n: number): number {
    return (this.count += n)
  }
}
ApartmentThreaded()(Late)

const ends: Linked[] = []
const aborted: unknown[] = []
/** Why iterations were given up. */
const reasons: unknown[] = []
let lastPath: readonly number[] = []

const api = {
  Counter,
  echo: (x: unknown) => x,
  call: (fn: (...args: unknown[]) => unknown, ...args: unknown[]) => fn(...args),
  callAndTell: async (fn: () => unknown) => [await fn(), currentCall()!.path],
  path: () => (lastPath = currentCall()!.path),
  fail() {
    throw Object.assign(new RangeError('too far', { cause: new TypeError('why') }), { at: 7 })
  },
  async untilAborted() {
    const { signal } = currentCall()!
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    aborted.push(signal.reason)
  },
  deadline: () => currentCall()!.deadline,
  async *countTo(n: number) {
    for (let i = 1; i <= n; i++) yield i
  },
  stream: () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue('a')
        controller.enqueue('b')
        controller.close()
      },
    }),
  whenAborted: (signal: AbortSignal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true })),
  never: () => new Promise(() => {}),
  make: (count: number) => Array.from({ length: count }, () => new Late()),
  async *countUntilGivenUp() {
    yield 0
    const { signal } = currentCall()!
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    reasons.push(signal.reason)
  },
}
serve(api)

async function open(options?: Parameters<typeof linked>[0]): Promise<Linked> {
  const made = await linked(options)
  ends.push(made)
  return made
}

afterEach(async () => {
  for (const { near } of ends.splice(0)) near.leave()
  await expect.poll(aliases).toBe(0)
})

describe('a link of frames', () => {
  it('calls functions and objects of the other end, which knows who calls', async () => {
    const { remote, near } = await open()
    expect(await remote.echo(5)).toBe(5)
    expect(near.name).toMatch(/^far /)
    await expect(remote.fail()).rejects.toMatchObject({ name: 'RangeError', message: 'too far', at: 7 })
    await expect(remote.fail()).rejects.toBeInstanceOf(RangeError)
  })

  it('sends what is called in one turn in a frame or two, as the other end is awake or not, and as few come back', async () => {
    const { remote, channel } = await open()
    await remote.echo(0)
    const before = [channel.sent, channel.other.sent]
    await Promise.all(Array.from({ length: 64 }, (_, i) => remote.echo(i)))
    expect([1, 2]).toContain(channel.sent - before[0]!)
    expect([1, 2, 3]).toContain(channel.other.sent - before[1]!)
  })

  it('S8 keeps identity: one proxy for an object, and the object itself where it comes home', async () => {
    const { remote } = await open()
    const counter = new Counter()
    expect(await remote.echo(counter)).toBe(counter)
    const fn = () => 1
    expect(await remote.echo({ deep: [fn] })).toEqual({ deep: [fn] })
    const far = await remote.call((x: unknown) => x, counter)
    expect(far).toBe(counter)
  })

  // What only looks like a Map is refused by every link.
  const kinds = Object.keys(values).filter((kind) => kind !== 'objects that only look like others')
  it.each(kinds)('brings %s as structured clone does', async (kind) => {
    const { remote } = await open({ maxFrame: 1 << 24 })
    for (const value of values[kind]!) expect(await remote.echo(value)).toEqual(structuredClone(value))
  })

  it('keeps which values are the same within a call, and none of another call', async () => {
    const { remote } = await open()
    const shared = { x: 1 }
    const buffer = new ArrayBuffer(16)
    const value = { a: shared, b: shared, u: new Uint8Array(buffer, 4, 4), f: new Float64Array(buffer) }
    const [one, other] = await Promise.all([remote.echo(value), remote.echo(value)])
    expect(one.a).toBe(one.b)
    expect(one.u.buffer).toBe(one.f.buffer)
    expect(one.a).not.toBe(other.a)
  })

  it('of a small Buffer sends no byte that is not its own', async () => {
    const { remote } = await open()
    const came = await remote.echo(Buffer.from('abc'))
    expect(came).toEqual(new Uint8Array([97, 98, 99]))
    expect(came.buffer.byteLength).toBe(3)
  })

  it('S14 a signal frees the caller at once, and fires there; a deadline is the same moment on both sides', async () => {
    const { remote } = await open()
    const abort = new AbortController()
    const call = callWith(remote, { signal: abort.signal }).untilAborted()
    await remote.echo(0)
    abort.abort('enough')
    await expect(call).rejects.toBe('enough')
    await remote.echo(0)
    expect(aborted).toEqual(['enough'])
    const deadline = await callWith(remote, { timeout: 60_000 }).deadline()
    expect(deadline - Date.now()).toBeGreaterThan(50_000)
    expect(deadline - Date.now()).toBeLessThanOrEqual(60_000)
    await expect(callWith(remote, { timeout: 5 }).never()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('signals cross live, and iterators and streams are read where they are', async () => {
    const { remote } = await open()
    const abort = new AbortController()
    const told = remote.whenAborted(abort.signal)
    await remote.echo(0)
    abort.abort('now')
    expect(await told).toBe('now')
    const got: unknown[] = []
    for await (const n of remote.countTo(5)) got.push(n)
    for await (const text of await remote.stream()) got.push(text)
    expect(got).toEqual([1, 2, 3, 4, 5, 'a', 'b'])
  })

  it('S14 what comes for a call that was given up is let go at once, before anything is collected', async () => {
    const { remote, near, channel } = await open()
    const held = () => near.call({ id: ROOT, name: 'served' }, 'idle', '', [], undefined)
    const before = await held()
    const abort = new AbortController()
    const sent = channel.other.sent
    channel.setPaused(true)
    const call = callWith(remote, { signal: abort.signal }).make(3)
    await expect.poll(() => channel.other.sent).toBeGreaterThan(sent)
    abort.abort('too late')
    await expect(call).rejects.toBe('too late')
    channel.setPaused(false)
    await expect.poll(held).toBe(before)
    // Its class was told with those that were let go.
    expect(await (await remote.make(1))[0].add(2)).toBe(2)
  })

  it('S14 an iteration is given up by the signal of its call, and by its timeout', async () => {
    const { remote } = await open()
    const abort = new AbortController()
    const items = callWith(remote, { signal: abort.signal }).countUntilGivenUp()
    expect(await items.next()).toEqual({ done: false, value: 0 })
    const waiting = items.next()
    await remote.echo(0)
    abort.abort('enough')
    await expect(waiting).rejects.toBe('enough')
    await expect.poll(() => reasons).toEqual(['enough'])
    const late = async () => {
      for await (const n of callWith(remote, { timeout: 50 }).countUntilGivenUp()) expect(n).toBe(0)
    }
    await expect(late()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('S16 a call that leads back re-enters, by the very numbers of its path', async () => {
    const { remote } = await open()
    const counter = new Counter()
    const result = await remote.call(
      (other: { again(fn: unknown): unknown }) => other.again((again: Counter) => again.add(2)),
      counter,
    )
    expect(result).toBe(2)
    let lengthHere = 0
    const [, [first]] = await remote.callAndTell(async () => {
      lengthHere = currentCall()!.path.length
      await remote.path()
    })
    expect(lengthHere).toBe(2)
    // The call that began here has the same name there again; the one that began there has its own.
    expect(lastPath.length).toBe(3)
    expect(lastPath[0]).toBe(first)
  })

  it('S11 says where an object lives', async () => {
    const { remote, near } = await open()
    const made = await remote.call(() => new Counter())
    expect(made).toBeInstanceOf(Counter)
    const proxies: object[] = []
    await remote.call((counter: object) => void proxies.push(counter), new Counter())
    expect(proxies[0]).toBeInstanceOf(Counter)
    expect(homeOf(remote)).toMatchObject({ threadId: near.threadId, pid: process.pid })
    expect(homeOf({})).toMatchObject({ isHere: true, pid: process.pid })
    expect(modelOf(new Counter())).toBe('apartment')
  })

  it('refuses what can be moved within a process alone, and copies and detaches buffers', async () => {
    const { remote } = await open()
    const { port1 } = new MessageChannel()
    await expect(remote.echo(transfer(port1))).rejects.toThrow(/MessagePort, which can be moved between threads/)
    await expect(remote.echo(port1)).rejects.toBeInstanceOf(NotMarshalableError)
    await expect(remote.echo(new SharedArrayBuffer(8))).rejects.toBeInstanceOf(NotMarshalableError)
    for (const own of [new Blob(['x']), new BlockList(), createHistogram(), emptyModule]) {
      await expect(remote.echo({ in: [own] })).rejects.toThrow(
        /can't cross to another thread: it contains an? .* Send instead/,
      )
    }
    const channel = new BroadcastChannel('one')
    await expect(remote.echo(channel)).rejects.toThrow(/a BroadcastChannel at 0\. Send instead: its name/)
    channel.close()
    const detached = new ArrayBuffer(1)
    structuredClone(detached, { transfer: [detached] })
    for (const own of [detached, new Intl.NumberFormat()]) {
      await expect(remote.echo([own])).rejects.toBeInstanceOf(NotMarshalableError)
    }
    const bytes = new Uint8Array([1, 2, 3])
    const came = await remote.echo(transfer(bytes))
    expect([...came]).toEqual([1, 2, 3])
    expect(bytes.byteLength).toBe(0)
    port1.close()
  })

  it('S15 what is too large for a frame is refused, both ways, and the link goes on', async () => {
    const { remote } = await open({ maxFrame: 10_000 })
    await expect(remote.echo('x'.repeat(20_000))).rejects.toThrow(/takes 20\d\d\d bytes/)
    await expect(remote.call(() => 'y'.repeat(9_000)).then((s: string) => s.length)).resolves.toBe(9000)
    const many = await Promise.all(Array.from({ length: 50 }, (_, i) => remote.echo(`${i}`.repeat(500))))
    expect(many.map((s) => s.slice(0, 1)).join('')).toHaveLength(50)
  })

  it('S13 the end of the channel ends calls, references and the thread', async () => {
    const { remote, near, channel } = await open()
    const exits: number[] = []
    using _watching = onThreadExit(({ id }) => exits.push(id))
    const pending = remote.never()
    const counter = await remote.call((x: unknown) => x, new Counter())
    expect(counter).toBeInstanceOf(Counter)
    await remote.echo(0)
    channel.destroy(new Error('pulled'))
    await expect(pending).rejects.toMatchObject({
      name: 'DisconnectedError',
      mayHaveRun: true,
      cause: { message: 'pulled' },
    })
    await expect(remote.echo(1)).rejects.toBeInstanceOf(DisconnectedError)
    await expect(remote.echo(1)).rejects.toMatchObject({ mayHaveRun: false })
    await expect.poll(() => exits).toContain(near.threadId)
  })

  it('lets go at home of what is released', async () => {
    const { remote } = await open()
    release(remote)
    await expect(remote.echo(0)).rejects.toBeInstanceOf(DisconnectedError)
  })
})

describe('a frame that makes no sense', () => {
  it.each([
    ['no frame', Uint8Array.of(9, 9, 9)],
    ['bytes of no value', Uint8Array.of(1, 0xff, 0x0f, 0x5b, 0xff)],
    ['a record beyond its end', Uint8Array.of(2, 200, 0, 0, 0, 1)],
    ['a host object that is none', Uint8Array.of(1, 0xff, 0x0f, 0x5c, 0x70)],
  ])('ends the link, with an error that says so: %s', async (_name, frame) => {
    const { remote, channel } = await open()
    const pending = remote.never()
    await remote.echo(0)
    channel.receive(frame)
    await expect(pending).rejects.toMatchObject({
      name: 'DisconnectedError',
      cause: { message: expect.stringMatching(/: the pair in memory was closed\.$/) },
    })
  })

  it('nested deeper than the other end may send, ends the link', async () => {
    const { remote } = await open({ maxDepth: 20 })
    let deep: unknown = 1
    for (let i = 0; i < 30; i++) deep = [deep]
    await expect(remote.call(() => deep)).rejects.toMatchObject({ cause: { message: /nested more than 20 deep/ } })
  })
})

describe('who is at the other end', () => {
  const target = (id: number) => ({ id, name: 'target' })

  it('creates what is served here by its name, and has no other module loaded', async () => {
    const { near } = await open()
    const module = `data:text/javascript,export class Made {}`
    await expect(createBy(near, `${module}#Made`, [], undefined)).rejects.toThrow(/Only classes that are served here/)
    expect(modelOf(await createBy(near, 'Counter', [], undefined))).toBe('apartment')
  })

  it('reaches nothing that only threads of this process have', async () => {
    const { near } = await open()
    for (const id of [-1, -2, 99_999]) {
      await expect(near.call(target(id), 'call', 'get', [1], undefined)).rejects.toThrow(/was let go at its home/)
    }
  })
})
