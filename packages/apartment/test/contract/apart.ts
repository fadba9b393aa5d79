/** S11: what holds of what lives in shared memory, or in one process, where it meets a thread that doesn't. */
import { channel } from 'node:diagnostics_channel'
import { type Apartment, callWith, objectTable, transfer } from '@flatshare/apartment'
import { DowngradeError, modelOf, NotMarshalableError, onDowngrade } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Opener } from './opener.js'

type Apart = typeof import('../threads/apart.js')

export function apart(open: Opener): void {
  let apartment: Apartment<Apart>

  beforeAll(async () => {
    apartment = await open<Apart>(new URL('../threads/apart.js', import.meta.url), { name: 'afar' })
  })
  afterAll(() => apartment.close())

  describe('S11 a lock', () => {
    it('arrives as a proxy with the semantics of an apartment-threaded object, and comes home as itself', async () => {
      const mutex = new Mutex()
      expect(modelOf(mutex)).toBe('free')
      expect(await apartment.remote.model(mutex as never)).toBe('apartment')
      expect(await apartment.remote.home(mutex as never)).toMatchObject({
        pid: process.pid,
        thread: 'main',
        isHere: false,
      })
      await expect(apartment.remote.require(mutex as never)).rejects.toThrow(/free/)
    })

    it('is locked here when it is locked there', async () => {
      const mutex = new Mutex()
      expect(await apartment.remote.inside(mutex as never)).toEqual([true, 'done'])
      expect(mutex.isLocked()).toBe(false)
      using _ = mutex.lockSync()
      expect(await apartment.remote.isLocked(mutex as never)).toBe(true)
    })

    it('is told of: its class, the call, the place, and where to', async () => {
      const heard: unknown[] = []
      using _ = onDowngrade((downgrade) => heard.push(downgrade))
      const published = (downgrade: unknown) => heard.push(downgrade)
      const told = channel('flatshare:downgrade')
      told.subscribe(published)
      await apartment.remote.model({ deep: [new Mutex()] } as never)
      told.unsubscribe(published)
      const downgrade = {
        className: 'Mutex',
        call: 'served.model()',
        place: '0.deep.0',
        to: { process: expect.any(String), pid: expect.any(Number), thread: 'afar' },
      }
      expect(heard).toEqual([downgrade, downgrade])
    })

    it('is refused by a call that refuses downgrades, before anything is sent', async () => {
      const strict = callWith(apartment.remote, { downgrade: 'refuse' })
      const refused = strict.model(new Mutex() as never)
      await expect(refused).rejects.toThrow(DowngradeError)
      await expect(refused).rejects.toThrow(/served\.model\(\): the Mutex at 0 would arrive as a mere proxy/)
      expect(await strict.model(() => {})).toBe('apartment')
    })
  })

  it('S7 a port is refused, which says why, and stays here', async () => {
    const { port1, port2 } = new MessageChannel()
    const heard = new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data)
    })
    const refused = apartment.remote.home(transfer({ port2 }, [port2]))
    await expect(refused).rejects.toThrow(NotMarshalableError)
    await expect(refused).rejects.toThrow(/process/)
    port2.postMessage('still here')
    expect(await heard).toBe('still here')
    port1.close()
  })

  it('S10 each process has an object table of its own', async () => {
    await apartment.remote.register('of afar')
    expect(await apartment.remote.names()).toEqual(['of afar'])
    expect(objectTable.has('of afar')).toBe(false)
    using _ = objectTable.register('of here', {})
    expect(await apartment.remote.names()).toEqual(['of afar'])
    const found: any = await apartment.remote.find('of afar')
    expect(await found.whose()).toBe('afar')
  })

  it('each process has a main thread of its own', async () => {
    expect(await apartment.remote.main()).toEqual([true, 'afar'])
    expect(await apartment.remote.ownHome()).toMatchObject({ thread: 'afar', isHere: true, pid: expect.any(Number) })
    expect(await apartment.remote.ownHome()).not.toMatchObject({ pid: process.pid })
  })
}
