import { type Apartment, disconnect, objectTable, release } from '@flatshare/apartment'
import { byReference, DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gate } from '../apartments.js'
import type { Opener } from './opener.js'

const caught = async (promise: PromiseLike<unknown>): Promise<any> => {
  try {
    return { gave: await promise }
  } catch (error) {
    return error
  }
}

/** An object of this thread, as the other thread uses it: it calls back through a relay. */
class Local {
  readonly entered = gate()
  readonly left = gate()
  calls = 0
  async stay(): Promise<string> {
    this.calls++
    this.entered.open()
    await this.left.opened
    return 'stayed'
  }
  next(): number {
    return ++this.calls
  }
}

export function disconnecting(open: Opener): void {
  let apartment: Apartment<typeof import('../threads/registering.js')>

  beforeAll(async () => {
    apartment = await open(new URL('../threads/registering.js', import.meta.url))
  })
  afterAll(() => apartment.close())

  describe('S12 disconnect', () => {
    it('lets the running call finish, and refuses those that wait at once', async () => {
      const local = new Local()
      const there = await apartment.remote.via(byReference(local) as never)
      const running = there('stay')
      await local.entered.opened
      const waiting = [caught(there('next')), caught(there('next'))]
      // They are here, and wait, once a later message of that thread has come.
      await apartment.remote.names()
      disconnect(local)
      // While the first one still runs:
      for (const error of await Promise.all(waiting)) {
        expect(error).toBeInstanceOf(DisconnectedError)
        expect(error.mayHaveRun).toBe(false)
        expect(error.message).toMatch(/The Local was disconnected by its owner/)
      }
      local.left.open()
      expect(await running).toBe('stayed')
      expect(local.calls).toBe(1)
      expect(await caught(there('next'))).toBeInstanceOf(DisconnectedError)
      expect(local.next()).toBe(2)
      disconnect(local)
      release(there)
    })

    // A process has a table of its own.
    it.runIf(open.sharesMemory)('is heard of by who finds the object by its name', async () => {
      const local = { next: () => 1 }
      objectTable.register('by name', local)
      expect(await (await apartment.remote.viaTable('by name'))('next')).toBe(1)
      disconnect(local)
      expect(await caught(apartment.remote.viaTable('by name'))).toBeInstanceOf(DisconnectedError)
      // Here the object is as it was.
      expect(await objectTable.get('by name')).toBe(local)
    })

    it('is for what is served, too', async () => {
      const error = await caught(apartment.remote.disconnectServed().then(() => apartment.remote.servedForATime()))
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.message).toMatch(/The function servedForATime was disconnected by its owner/)
    })

    it('leaves a reference that comes home the object itself', async () => {
      const local = () => 1
      await apartment.remote.hold(local)
      disconnect(local)
      expect(await apartment.remote.whatIsHeld()).toBe(local)
    })

    it('is for objects and functions', () => {
      for (const x of [1, null, undefined, 'text']) expect(() => disconnect(x as never)).toThrow(TypeError)
    })
  })
}
