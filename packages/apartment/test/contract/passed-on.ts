import { Worker } from 'node:worker_threads'
import { objectTable, type Remote, release } from '@flatshare/apartment'
import { DisconnectedError, marshal, unmarshal, WrongThreadError } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect } from '../threads/collecting.js'
import type { Holder } from '../threads/registering.js'
import type { Opener } from './opener.js'

const settled = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error) => error,
  )

export function passedOn(opener: Opener): void {
  const open = (name: string) =>
    opener<typeof import('../threads/registering.js')>(new URL('../threads/registering.js', import.meta.url), {
      name,
    })

  let one: Awaited<ReturnType<typeof open>>
  let other: typeof one
  /** Where threads share a table of names, those know them by name only. */
  let ofOne: string | Remote<Holder>
  let ofOther: string | Remote<Holder>

  async function newHolder(of: typeof one, name: string): Promise<string | Remote<Holder>> {
    if (!opener.sharesMemory) return of.create('Holder')
    await of.remote.registerHolder(name)
    return name
  }
  const drop = async (holder: string | Remote<Holder>) =>
    (typeof holder === 'string' ? await objectTable.get<Remote<Holder>>(holder) : holder).drop()

  beforeAll(async () => {
    ;[one, other] = await Promise.all([open('one'), open('other')])
    ofOne = await newHolder(one, 'holder of one')
    ofOther = await newHolder(other, 'holder of other')
  })
  afterAll(() => Promise.all([one.close(), other.close()]))

  /** Makes functions, and knows how many of them are gone. */
  function makeWatched() {
    let made = 0
    let gone = 0
    const registry = new FinalizationRegistry(() => {
      gone++
    })
    return {
      make(): () => number {
        const n = ++made
        const fn = () => n
        registry.register(fn, undefined)
        return fn
      },
      /** Until all that were made are gone, on every thread that lives. */
      async untilGone() {
        while (gone < made) {
          await Promise.all([one.remote.collect(), other.remote.collect()])
          await collect()
        }
      },
    }
  }

  describe('references that three threads pass on', () => {
    it('are let go by all of them: nothing is kept for ever', async () => {
      const watched = makeWatched()
      const pass = async (i: number) => {
        const fn = watched.make()
        const [to, by] = i % 2 ? [ofOne, other] : [ofOther, one]
        await Promise.all([by.remote.passOn(to, fn), by.remote.passOn(to, fn), by.remote.hold(fn)])
      }
      for (let i = 0; i < 60; i++) await pass(i)
      for (const { remote } of [one, other]) await remote.hold(undefined)
      for (const holder of [ofOne, ofOther]) expect(await drop(holder)).toBe(60)
      await watched.untilGone()
    })

    it('are let go by a thread that dies with them, or with them on their way to it', async () => {
      const watched = makeWatched()
      for (let round = 0; round < 6; round++) {
        const doomed = await open('doomed')
        const ofDoomed = await newHolder(doomed, `doomed ${round}`)
        const pending: Array<Promise<unknown>> = []
        for (let i = 0; i < 20; i++) {
          if (i === round * 3) pending.push(doomed.terminate())
          const by = [one, other, doomed][i % 3]!
          pending.push(settled(by.remote.passOn(i % 2 ? ofDoomed : ofOne, watched.make())))
          if (i % 4 === round % 4) await new Promise((resolve) => setImmediate(resolve))
        }
        await Promise.all(pending)
        await settleExits()
      }
      await drop(ofOne)
      await watched.untilGone()
    })

    it('keep their identity whichever way they come', async () => {
      const fn = () => {}
      await one.remote.passOn(ofOther, fn)
      await one.remote.hold(fn)
      await other.remote.hold(await one.remote.whatIsHeld())
      expect(await other.remote.whatIsHeld()).toBe(fn)
      const counter = await one.create('Counter')
      await other.remote.hold(counter)
      expect(await other.remote.whatIsHeld()).toBe(counter)
      if (opener.sharesMemory) {
        objectTable.register('by three ways', counter)
        expect(await one.remote.isOwn('by three ways')).toBe(true)
        await one.remote.hold(await objectTable.get('by three ways'))
      } else await one.remote.hold(counter)
      expect(await one.remote.whatIsHeld()).toBe(counter)
      await one.remote.hold(undefined)
      await other.remote.hold(undefined)
    })

    it('stay with the others when one lets go', async () => {
      const counter = await one.create('Counter')
      await other.remote.hold(counter)
      release(counter)
      expect(await settled(counter.next())).toBeInstanceOf(DisconnectedError)
      await one.remote.collect()
      const back = (await other.remote.whatIsHeld()) as typeof counter
      expect(back).not.toBe(counter)
      expect(await back.next()).toBe(1)
      expect(await other.remote.whatIsHeld()).toBe(back)
    })

    it('to a proxy that is released while it is called and handed on at once', async () => {
      for (let i = 0; i < 50; i++) {
        const counter = await one.create('Counter')
        const [next, held] = [counter.next(), other.remote.hold(counter)]
        release(counter)
        expect(await next).toBe(1)
        await held
        const back = (await other.remote.whatIsHeld()) as typeof counter
        expect(await back.next()).toBe(2)
        release(back)
      }
      await other.remote.hold(undefined)
    })
  })

  describe('S9 a packet with a reference', () => {
    it('that is disposed of lets go of it, and can’t be unmarshaled then', async () => {
      const watched = makeWatched()
      const packets = await (async () => [
        marshal({ deep: [watched.make()] }),
        marshal([watched.make(), watched.make()]),
      ])()
      for (const [packet] of packets) packet[Symbol.dispose]()
      for (const [packet] of packets) expect(() => unmarshal(packet)).toThrow(WrongThreadError)
      await watched.untilGone()
    })

    it('that nobody has unmarshaled when its receiver ends is let go', async () => {
      const watched = makeWatched()
      const [start, ports] = marshal({})
      const worker = new Worker(new URL('../threads/stranger.js', import.meta.url), {
        workerData: start,
        transferList: ports,
      })
      await new Promise((resolve) => worker.once('message', resolve))
      await (async () => {
        for (let i = 0; i < 10; i++) worker.postMessage(...marshal({ fn: watched.make() }))
      })()
      await worker.terminate()
      await watched.untilGone()
    })

    it('that can’t be unmarshaled where it is for another is kept for that one', async () => {
      const fn = () => 1
      const [packet] = marshal(fn, { to: one.threadId })
      expect(() => unmarshal(packet)).toThrow(/is addressed to the thread "one"/)
      packet[Symbol.dispose]()
    })
  })
}
