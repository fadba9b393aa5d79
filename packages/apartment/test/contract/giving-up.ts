import { type Apartment, callWith, type Remote } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gate } from '../apartments.js'
import type { Carrier } from '../threads/carrying.js'
import { type Carrying, carryingUrl, type Opener } from './opener.js'

export function givingUp(open: Opener): void {
  let apartment: Apartment<Carrying>
  let carrier: Remote<Carrier>

  beforeAll(async () => {
    apartment = await open<Carrying>(carryingUrl, { name: 'carrier' })
    carrier = await apartment.create('Carrier')
  })
  afterAll(() => apartment.close())

  it('S14 is seen at once by a busy loop that never awaits', async () => {
    await expect(callWith(carrier, { timeout: 20 }).spin()).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(await carrier.howItEnded()).toBe('TimeoutError')
    const controller = new AbortController()
    const spinning = callWith(carrier, { signal: controller.signal }).spin()
    controller.abort()
    await expect(spinning).rejects.toBe(controller.signal.reason)
    expect(await carrier.ping()).toBe('pong')
  })

  it('ends a thread that does not listen, where that is asked for', async () => {
    const doomed = await open<Carrying>(carryingUrl, { name: 'doomed' })
    const deaf = await doomed.create('Carrier')
    const controller = new AbortController()
    const begun = gate()
    const spinning = callWith(deaf, { signal: controller.signal, onAbort: 'terminate' }).spinDeaf(begun.open)
    const beside = deaf.ping()
    await begun.opened
    controller.abort()
    await expect(spinning).rejects.toBe(controller.signal.reason)
    await expect(beside).rejects.toBeInstanceOf(DisconnectedError)
    await doomed.close()
  })

  it('calls without an answer keep their place among others', async () => {
    const fresh = await apartment.create('Carrier')
    const quiet = callWith(fresh, { reply: false })
    const sent = quiet.note('first')
    void fresh.note('second')
    expect(await sent).toBeUndefined()
    expect(await fresh.collected()).toEqual(['first', 'second'])
  })
}
