import { type Apartment, objectTable, type Remote } from '@flatshare/apartment'
import { byReference } from '@flatshare/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Carrier } from '../threads/carrying.js'
import { type Carrying, carryingUrl, type Opener } from './opener.js'

export function names(open: Opener): void {
  let one: Apartment<Carrying>
  let other: Apartment<Carrying>
  const name = (what: string) => `${what} over ${open.over}`

  beforeAll(async () => {
    ;[one, other] = await Promise.all([open<Carrying>(carryingUrl), open<Carrying>(carryingUrl)])
  })
  afterAll(() => Promise.all([one.close(), other.close()]))

  it('S10 what one thread registers every thread finds, as the same proxy', async () => {
    const carrier = await one.create('Carrier')
    await carrier.register(name('carrier'))
    const found = (await objectTable.get(name('carrier'))) as Remote<Carrier>
    expect(found).toBe(carrier)
    expect(await (await other.create('Carrier')).find(name('carrier'))).toBe(carrier)
  })

  it('S10 what this thread registers is called back from there', async () => {
    const here = byReference({ ping: () => 'here' })
    const registration = objectTable.register(name('here'), here)
    expect(await (await one.create('Carrier')).find(name('here'))).toBe(here)
    registration.revoke()
    await expect(objectTable.get(name('here'))).rejects.toThrow(name('here'))
  })

  it('S10 the entries of a thread that has ended are gone', async () => {
    const doomed = await open<Carrying>(carryingUrl)
    await (await doomed.create('Carrier')).register(name('doomed'))
    await doomed.terminate()
    await expect(objectTable.get(name('doomed'))).rejects.toThrow(name('doomed'))
    expect(objectTable.has(name('doomed'))).toBe(false)
  })
}
