import { callWith, disconnect, release } from '@flatshare/apartment'
import { homeThreadOf, isProxy, onGone } from '@flatshare/apartment/internal'
import { DisconnectedError } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'
import { gate } from '../apartments.js'
import { hasEnded } from './has-ended.js'
import { type Opener, storeOpener } from './opener.js'

export function ends(open: Opener): void {
  const openStore = storeOpener(open)
  const caught = async (promise: PromiseLike<unknown>): Promise<any> => {
    try {
      return { gave: await promise }
    } catch (error) {
      return error
    }
  }

  /** An apartment with a call in progress that nothing will answer. */
  async function waiting(how?: 'exit' | 'throw' | 'memory') {
    const apartment = await openStore({
      name: 'doomed',
      ...(how === 'memory' && { resourceLimits: { maxOldGenerationSizeMb: 16 } }),
    })
    const object = await apartment.create('WaitingObject')
    const started = gate()
    const begun = gate()
    const start = () => {
      begun.open()
      return started.opened
    }
    const pending = caught(how ? object.exitLater(start, how) : object.until(start))
    await begun.opened
    return { apartment, object, pending, proceed: started.open }
  }

  describe('S13 a thread that ends', () => {
    it.each(['exit', 'throw', 'memory'] as const)('by %s rejects what is pending on it at once', async (how) => {
      const { apartment, object, pending, proceed } = await waiting(how)
      const second = caught(object.until(() => {}))
      const gone = new Promise<void>((resolve) => void onGone(object, resolve))
      proceed()
      const error = await pending
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.mayHaveRun).toBe(true)
      expect(error.message).toMatch(
        new RegExp(`Waiting(Object)?\\.exitLater\\(\\): ${hasEnded('doomed')}; .* may or may not have run`),
      )
      if (how === 'throw') expect(error.cause).toMatchObject({ message: '7 are missing' })
      if (how === 'memory') expect(error.cause).toMatchObject(open.outOfMemory)
      expect((await second).mayHaveRun).toBe(true)
      await gone
      const later = await caught(object.until(() => {}))
      expect(later).toBeInstanceOf(DisconnectedError)
      expect(later.mayHaveRun).toBe(false)
      expect((await caught(apartment.create('Account'))).mayHaveRun).toBe(false)
      await apartment.close()
    })

    it('by terminate()', async () => {
      const { apartment, object, pending } = await waiting()
      await apartment.terminate()
      expect((await pending).mayHaveRun).toBe(true)
      expect((await caught(object.until(() => {}))).mayHaveRun).toBe(false)
      await apartment.terminate()
      await apartment.close()
    })

    it('right after its answer: the answer arrives', async () => {
      for (let i = 0; i < 5; i++) {
        const apartment = await openStore()
        const object = await apartment.create('WaitingObject')
        const answer = object.reasonSeen()
        const error = caught(object.exit(0) as never)
        expect(await answer).toBe('')
        expect((await error).mayHaveRun).toBe(true)
      }
    })

    it('rejects the calls of a third thread, and tells it', async () => {
      const [{ apartment, object, pending, proceed }, other] = await Promise.all([waiting('exit'), openStore()])
      const relay = await other.create('Relay')
      await relay.hold(object)
      const begun = gate()
      const fromThere = caught(
        relay.callBack(async () => {
          begun.open()
          return object.until(() => {})
        }),
      )
      await begun.opened
      proceed()
      await pending
      expect(await fromThere).toBeInstanceOf(DisconnectedError)
      await settleExits()
      const held = await caught(relay.held())
      // Where this thread is between the two, what comes home is its own proxy.
      if (open.sharesMemory) expect(held).toBeInstanceOf(DisconnectedError)
      else expect(await caught(held.gave.until(() => {}))).toMatchObject({ mayHaveRun: false })
      await Promise.all([apartment.close(), other.close()])
    })

    it('while it calls back: the callback runs to its end, and nothing hangs', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      const inside = gate()
      const leave = gate()
      let ended = false
      const pending = caught(
        relay.callBack(async () => {
          inside.open()
          await leave.opened
          ended = true
        }),
      )
      await inside.opened
      await apartment.terminate()
      expect((await pending).mayHaveRun).toBe(true)
      leave.open()
      await leave.opened
      await Promise.resolve()
      expect(ended).toBe(true)
    })

    it('is still named by its proxies', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      const listener = () => {}
      await relay.subscribe(listener)
      await apartment.terminate()
      expect(isProxy(relay)).toBe(true)
      expect(homeThreadOf(relay)).toBe(apartment.threadId)
    })
  })

  describe('S12 disconnect', () => {
    it('lets running calls finish and refuses those that wait or come', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      const inside = gate()
      const leave = gate()
      const running = relay.callBack(async () => {
        inside.open()
        await leave.opened
        return 'finished'
      })
      await inside.opened
      const waits = caught(relay.note('waits'))
      leave.open()
      expect(await running).toBe('finished')
      expect((await waits).gave).toEqual(['begin', 'end', 'waits'])
      await relay.end()
      const error = await caught(relay.note('late'))
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.mayHaveRun).toBe(false)
      expect(error.message).toMatch(/The Relay was disconnected by its owner/)
      await apartment.close()
    })

    it('is for who has the object: a proxy is refused', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      expect(() => disconnect(relay)).toThrow(/not a proxy: release\(proxy\)/)
      expect(await relay.note('still there')).toEqual(['still there'])
      await apartment.close()
    })

    it('of a function of this thread', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      let calls = 0
      const listener = () => ++calls
      await relay.subscribe(listener)
      expect(await relay.publish(1)).toEqual([1])
      disconnect(listener)
      await expect(relay.publish(1)).rejects.toBeInstanceOf(DisconnectedError)
      expect(calls).toBe(1)
      await apartment.close()
    })
  })

  describe('release', () => {
    it('with calls pending: they settle, new ones are refused', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      const { open, opened } = gate()
      const pending = relay.callBack(() => opened.then(() => 'settled'))
      release(relay)
      release(relay)
      open()
      expect(await pending).toBe('settled')
      await expect(relay.ping()).rejects.toThrow(/Relay: this proxy was released/)
      expect(() => release({})).toThrow(TypeError)
      expect(() => callWith({}, {})).toThrow(TypeError)
      await apartment.close()
    })
  })

  describe('close', () => {
    it('waits for calls in flight, refuses new ones, and can be repeated', async () => {
      const apartment = await openStore()
      const relay = await apartment.create('Relay')
      const { open, opened } = gate()
      const pending = relay.callBack(() => opened.then(() => 'done'))
      const closing = apartment.close()
      const refused = await caught(relay.ping())
      expect(refused).toBeInstanceOf(DisconnectedError)
      expect(refused.message).toMatch(/is being closed; the call was not made/)
      open()
      expect(await pending).toBe('done')
      expect(apartment.close()).toBe(closing)
      await closing
    })

    it('rejects what takes longer than its timeout', async () => {
      const { apartment, pending } = await waiting()
      await apartment.close({ timeout: 1 })
      expect((await pending).mayHaveRun).toBe(true)
    })

    it('comes with await using', async () => {
      let relay: any
      {
        await using apartment = await openStore()
        relay = await apartment.create('Relay')
      }
      await expect(relay.ping()).rejects.toBeInstanceOf(DisconnectedError)
    })
  })
}
