/**
 * A conversation of everything that a link carries, over a wire that breaks after each number of bytes: whatever was
 * pending at either end settles, nothing hangs, and nothing is kept for the other end.
 */
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { ApartmentThreaded, callWith, currentCall, DisconnectedError, release, serve } from '@flatshare/apartment'
import { createBy, openOver, type Peer, ROOT, remoteOf, serveOver } from '@flatshare/apartment/internal'
import { FlatshareError } from '@flatshare/core'
import { isAlive, settleExits } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frameLink } from '../dist/frame-link.js'
import { StreamChannel } from '../dist/stream-channel.js'
import { aliases } from '../dist/translate.js'
import { type Linked, linked } from './linked.js'
import { type Break, Wire } from './wire.js'

class Counter {
  count = 0
  add(n: number): number {
    return (this.count += n)
  }
  /** Calls back, and is called back by that. */
  async again(callback: (counter: Counter) => unknown): Promise<unknown> {
    return await callback(this)
  }
}
ApartmentThreaded()(Counter)

/** What has begun at the end that serves, and has not ended, by its name. */
const served = new Map<number, string>()
let calls = 0

async function noted<R>(name: string, run: () => R): Promise<Awaited<R>> {
  const number = ++calls
  served.set(number, name)
  try {
    return await run()
  } finally {
    served.delete(number)
  }
}

/** Settles when the caller gives the call up, or is gone. */
const givenUp = () =>
  new Promise<string>((resolve) => {
    const { signal } = currentCall()!
    signal.addEventListener('abort', () => resolve('given up'), { once: true })
  })

const api = {
  Counter,
  echo: (x: unknown) => x,
  fail: () => noted('fail', () => Promise.reject(new RangeError('too far'))),
  call: (callback: (n: number) => unknown) => noted('call', () => callback(1)),
  counterOf: (counter: Counter, callback: (counter: Counter) => unknown) =>
    noted('counterOf', () => counter.again(callback)),
  untilGivenUp: () => noted('untilGivenUp', givenUp),
  untilAborted: (signal: AbortSignal) =>
    noted('untilAborted', () =>
      Promise.race([
        givenUp(),
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true })),
      ]),
    ),
  async *count(to: number) {
    const number = ++calls
    served.set(number, 'count')
    try {
      for (let i = 0; i < to; i++) yield i
    } finally {
      served.delete(number)
    }
  },
  collect: (items: AsyncIterable<unknown>) =>
    noted('collect', async () => {
      const all: unknown[] = []
      for await (const item of items) all.push(item)
      return all
    }),
  letters: () =>
    new ReadableStream<string>({
      start(controller) {
        for (const letter of 'ab') controller.enqueue(letter)
        controller.close()
      },
    }),
  write: (stream: WritableStream<string>) =>
    noted('write', async () => {
      const writer = stream.getWriter()
      await writer.write('x')
      await writer.write('y')
      await writer.close()
    }),
}
serve(api)

type Remote = any

/** What one end does by a link, all at once. */
function converse(peer: Peer, remote: Remote): Record<string, Promise<unknown>> {
  const counter = new Counter()
  return {
    echo: remote.echo({ deep: [new Map([[1, new Date(5)]])] }),
    fails: remote.fail().catch((error: unknown) => known(error, error instanceof RangeError && error.message)),
    callback: remote.call(async (n: number) => (await remote.echo(n)) + 1),
    reentered: remote.counterOf(counter, (same: Counter) => (same === counter ? same.add(3) : 'another')),
    created: used(peer),
    oneWay: (callWith(remote, { reply: false }) as Remote).echo('nobody asks'),
    ...streams(remote),
    ...limits(remote),
  }
}

/** An object of the other end, which is let go. */
async function used(peer: Peer): Promise<unknown> {
  const made = (await createBy(peer, 'Counter', [], undefined)) as Remote
  const added = await made.add(2)
  release(made)
  return added
}

/** What goes in steps, both ways. */
function streams(remote: Remote): Record<string, Promise<unknown>> {
  const written: string[] = []
  async function* own() {
    yield 'p'
    yield { q: [1n, undefined] }
  }
  const sink = new WritableStream({ write: (x: string) => void written.push(x) })
  return {
    counted: collect(remote.count(3)),
    collected: remote.collect(own()),
    letters: remote.letters().then(collect),
    written: remote.write(sink).then(() => written),
  }
}

/** Calls that are given up. */
function limits(remote: Remote): Record<string, Promise<unknown>> {
  const abort = new AbortController()
  const stop = new AbortController()
  const later = (act: () => void) => remote.echo(0).then(act, () => {})
  void later(() => stop.abort('enough'))
  void later(() => abort.abort('now'))
  return {
    given: callWith(remote, { signal: stop.signal })
      .untilGivenUp()
      .catch((reason: unknown) => known(reason, reason === 'enough' && reason)),
    aborted: remote.untilAborted(abort.signal),
  }
}

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What a failure that is meant gives. */
function known<T>(error: unknown, value: T | false): T {
  if (value === false) throw error
  return value
}

const whole = {
  echo: { deep: [new Map([[1, new Date(5)]])] },
  fails: 'too far',
  callback: 2,
  reentered: 3,
  created: 2,
  oneWay: undefined,
  counted: [0, 1, 2],
  collected: ['p', { q: [1n, undefined] }],
  letters: ['a', 'b'],
  written: ['x', 'y'],
  given: 'enough',
  aborted: 'now',
} as const

/** More turns of the event loop than anything needs that waits for no time. */
const MANY_TURNS = 100

/** What has not settled after so many turns of the event loop. */
async function unsettled(promises: Record<string, Promise<unknown>>): Promise<string[]> {
  const open = new Set(Object.keys(promises))
  for (const [name, promise] of Object.entries(promises)) {
    const settled = () => void open.delete(name)
    promise.then(settled, settled)
  }
  for (let i = 0; i < MANY_TURNS && open.size + served.size > 0; i++) await turn()
  return [...open, ...served.values()]
}

const ends = async (wire: Wire) => {
  const [near, far] = wire.ends.map(
    (end) => new StreamChannel(end as unknown as Socket, { what: 'wire', maxFrame: 1 << 20 }),
  )
  const { peer: farPeer } = serveOver(frameLink(far!))
  const opening = openOver(frameLink(near!), { own: false, startTimeout: 60_000, what: 'The other end' })
  return { farPeer, opening }
}

let control: Linked

/** How many objects and functions of this thread are held by other ends of links. */
const held = () => control.near.call({ id: ROOT, name: 'served' }, 'idle', '', [], undefined) as Promise<number>

/** Holds the conversation over a wire that breaks after so many bytes; says what is wrong after that. */
async function cutAt(most: number, how: Break, before: number): Promise<string[]> {
  const wire = new Wire(most, how)
  const { farPeer, opening } = await ends(wire)
  let peer: Peer | undefined
  const wrong: string[] = []
  try {
    const opened = await opening
    peer = opened.peer
    const said = converse(peer, remoteOf(peer, opened.serves))
    for (const name of await unsettled(said)) wrong.push(`${name} has not settled`)
    const results = await Promise.allSettled(Object.values(said))
    Object.keys(said).forEach((name, i) => {
      const result = results[i]!
      if (result.status === 'rejected' && !(result.reason instanceof DisconnectedError))
        wrong.push(`${name} failed with ${String(result.reason)}`)
    })
  } catch (error) {
    if (!(error instanceof FlatshareError)) wrong.push(`opening failed with ${String(error)}`)
  }
  for (let i = 0; i < MANY_TURNS && !(farPeer.gone && (peer?.gone ?? true)); i++) await turn()
  if (!farPeer.gone) wrong.push('the end that serves stands')
  if (peer?.gone === false) wrong.push('the end that opened stands')
  if (aliases() > 0) wrong.push(`${aliases()} numbers of calls are kept`)
  const after = await held()
  if (after !== before) wrong.push(`${after - before} objects are kept`)
  await settleExits()
  for (const end of [farPeer, peer])
    if (end && end.threadId !== 0 && isAlive(end.threadId)) wrong.push('a thread lives')
  return wrong.map((what) => `${how} after ${most} bytes: ${what}`)
}

beforeAll(async () => {
  control = await linked()
})
afterAll(() => control.near.leave())

describe('S13 a link that breaks', () => {
  let length = 0
  let before = 0

  it('carries the whole conversation, if it does not', async () => {
    before = await held()
    const wire = new Wire()
    const { farPeer, opening } = await ends(wire)
    const { peer, serves } = await opening
    const said = converse(peer, remoteOf(peer, serves))
    expect(await unsettled(said)).toEqual([])
    const values = await Promise.all(Object.values(said))
    expect(Object.fromEntries(Object.keys(said).map((name, i) => [name, values[i]]))).toEqual(whole)
    length = wire.passed
    expect(await held()).toBeGreaterThan(before)
    peer.leave()
    await expect.poll(() => farPeer.gone).toBe(true)
    expect(await held()).toBe(before)
  })

  // The second way differs by its error alone.
  const ways: Array<[how: Break, apart: number]> = [
    ['ends', 1],
    ['fails', 7],
  ]
  it.each(ways)(
    'settles all that was pending, wherever it %s',
    async (how, apart) => {
      const wrong: string[] = []
      for (let most = 1; most <= length; most += apart) wrong.push(...(await cutAt(most, how, before)))
      expect(wrong).toEqual([])
    },
    120_000,
  )
})
