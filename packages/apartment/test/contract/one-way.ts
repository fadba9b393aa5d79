import { type Apartment, callWith, type Remote } from '@flatshare/apartment'
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gate } from '../apartments.js'
import type { Log } from '../threads/giving-up.js'
import type { Opener } from './opener.js'

type Module = typeof import('../threads/giving-up.js')

export function oneWay(open: Opener): void {
  let apartment: Apartment<Module>
  let log: Remote<Log>

  beforeAll(async () => {
    apartment = await open<Module>(new URL('../threads/giving-up.js', import.meta.url))
    log = await apartment.create('Log')
  })
  afterAll(() => apartment.close())

  describe('calls without an answer (reply: false)', () => {
    it('resolve with nothing, and keep their place among other calls', async () => {
      const fresh = await apartment.create('Log')
      const silent = callWith(fresh, { reply: false })
      const { open: go, opened } = gate()
      const first = fresh.hold(() => opened)
      expect(await silent.write('a')).toBeUndefined()
      expect(await silent.writeLater('b')).toBeUndefined()
      const answered = fresh.write('c')
      await silent.write('d')
      go()
      await first
      expect(await answered).toEqual(['a', 'b', 'c'])
      expect(await fresh.write('e')).toEqual(['a', 'b', 'c', 'd', 'e'])
    })

    it('that fail are warnings where they run', async () => {
      await apartment.remote.warned()
      const silent = callWith(log, { reply: false })
      await silent.fail('at once')
      await silent.failLater('later')
      await silent.failOddly()
      await log.write('after')
      const caller = open.sharesMemory ? 'main' : `main of process ${process.pid}`
      expect(await apartment.remote.warned()).toEqual([
        {
          name: 'FlatshareWarning',
          message: `Log.fail(), a call of the thread "${caller}" without an answer, failed: RangeError: at once`,
        },
        {
          name: 'FlatshareWarning',
          message: `Log.failLater(), a call of the thread "${caller}" without an answer, failed: RangeError: later`,
        },
        {
          name: 'FlatshareWarning',
          message: expect.stringMatching(/^Log\.failOddly\(\), .* failed: What was thrown says nothing of itself/),
        },
      ])
    })

    it('with a result that can’t cross, or one that nobody needs, warn of nothing', async () => {
      const silent = callWith(log, { reply: false })
      await silent.unclonable()
      await silent.write('x')
      await log.write('after')
      expect(await apartment.remote.warned()).toEqual([])
    })

    it('reject where they can’t be sent', async () => {
      const silent = callWith(log, { reply: false })
      await expect(silent.write(Symbol('s') as never)).rejects.toBeInstanceOf(NotMarshalableError)
      const reason = new Error('no more')
      const given = callWith(log, { reply: false, signal: AbortSignal.abort(reason) })
      await expect(given.write('never')).rejects.toBe(reason)
      const doomed = await open<Module>(new URL('../threads/giving-up.js', import.meta.url))
      const gone = callWith(await doomed.create('Log'), { reply: false })
      await doomed.terminate()
      await expect(gone.write('never')).rejects.toBeInstanceOf(DisconnectedError)
    })

    it('have no properties, whose values are answers', async () => {
      const silent: any = callWith(log, { reply: false })
      await expect(silent.length).rejects.toThrow(/Log\.length: the value of a property is an answer/)
    })

    it('past their deadline don’t begin, and nobody is warned', async () => {
      const fresh = await apartment.create('Log')
      const { open: go, opened } = gate()
      const first = fresh.hold(() => opened)
      await callWith(fresh, { reply: false, timeout: 50 }).write('never')
      // By then it is there, and its time runs out no later than so much after.
      await apartment.remote.double(1)
      const past = Date.now() + 50
      while (Date.now() <= past) await new Promise((resolve) => setImmediate(resolve))
      go()
      await first
      expect(await fresh.write('after')).toEqual(['after'])
      expect(await apartment.remote.warned()).toEqual([])
    })

    it('run to their end before an apartment closes', async () => {
      const closing = await open<Module>(new URL('../threads/giving-up.js', import.meta.url))
      const fresh = await closing.create('Log')
      let reached = false
      await callWith(fresh, { reply: false }).hold(() => {
        reached = true
      })
      await closing.close()
      expect(reached).toBe(true)
    })

    it('take functions as well', async () => {
      const called = gate()
      // The function comes back as a proxy's view would have it: sent without an answer, it is called there.
      await callWith(log, { reply: false }).hold(called.open)
      await called.opened
    })
  })

  describe('callWith, once more', () => {
    it('replaces what it is given, and keeps the rest', async () => {
      const reason = new Error('first')
      const given = callWith(log, { signal: AbortSignal.abort(reason), timeout: 60_000 })
      await expect(callWith(given, { timeout: 30_000 }).write('never')).rejects.toBe(reason)
      const later = callWith(given, { signal: new AbortController().signal })
      expect(await later.write('written')).toContain('written')
      await expect(callWith(given, { signal: undefined as never }).write('never')).rejects.toBe(reason)
      expect(await callWith(callWith(log, { reply: false }), { reply: true }).write('z')).toContain('z')
    })

    it('refuses what is no setting', () => {
      expect(() => callWith(log, { onAbort: 'stop' as never })).toThrow(TypeError)
      expect(() => callWith(log, { graceTime: -1 })).toThrow(RangeError)
      expect(() => callWith(log, { reply: 0 as never })).toThrow(TypeError)
    })
  })
}
