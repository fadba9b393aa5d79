import { Apartment, disconnect, objectTable, type Remote } from '@flatshare/apartment'
import { settleExits } from '@flatshare/core/internal'
import { Mutex } from '@flatshare/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Account } from './registering.js'

const open = (name: string) =>
  Apartment.open<typeof import('./registering.js')>(new URL('./registering.js', import.meta.url), { name })

let one: Awaited<ReturnType<typeof open>>
let other: typeof one

beforeAll(async () => {
  ;[one, other] = await Promise.all([open('one'), open('other')])
})
afterAll(() => Promise.all([one.close(), other.close()]))

describe('S10 free-threaded objects in the object table', () => {
  it('are found as themselves on every thread', async () => {
    const account = new Account()
    objectTable.register('account', account)
    expect(await objectTable.get('account')).toBe(account)
    expect(await one.remote.deposit('account', 5)).toBe(5)
    expect(await other.remote.deposit('account', 5)).toBe(10)
    expect(account.balance).toBe(10)
  })

  it('are found while the thread that registered them blocks', async () => {
    await one.remote.register('of a blocked thread')
    const memory = new SharedArrayBuffer(8)
    const cells = new Int32Array(memory)
    const blocked = one.remote.block(memory)
    await (Atomics as any).waitAsync(cells, 1, 0).value
    const account = await objectTable.get<Account>('of a blocked thread')
    expect(account).toBeInstanceOf(Account)
    expect(account.deposit(1)).toBe(1)
    expect(await objectTable.get('of a blocked thread')).toBe(account)
    expect(await other.remote.deposit('of a blocked thread', 1)).toBe(2)
    Atomics.store(cells, 0, 1)
    Atomics.notify(cells, 0)
    await blocked
    expect(await one.remote.deposit('of a blocked thread', 1)).toBe(3)
  })

  it('stay with whoever has got them when the entry ends, by whatever end', async () => {
    const doomed = await open('doomed')
    await doomed.remote.register('of a doomed thread')
    const registration = (await one.remote.register('revoked')) as Remote<{ revoke(): void }>
    const [a, b] = await Promise.all([
      objectTable.get<Account>('of a doomed thread'),
      objectTable.get<Account>('revoked'),
    ])
    await doomed.terminate()
    await settleExits()
    await registration.revoke()
    for (const name of ['of a doomed thread', 'revoked']) {
      expect(objectTable.has(name)).toBe(false)
      await expect(other.remote.deposit(name, 1)).rejects.toThrow(/No object is registered/)
    }
    expect([a.deposit(2), b.deposit(2)]).toEqual([2, 2])
  })

  it('are registered weakly, too', async () => {
    const account = new Account()
    objectTable.register('weak', account, { weak: true })
    expect(await one.remote.deposit('weak', 1)).toBe(1)
    expect(account.balance).toBe(1)
  })

  it('may be locks', async () => {
    const mutex = new Mutex()
    objectTable.register('mutex', mutex)
    expect(await objectTable.get('mutex')).toBe(mutex)
  })

  it('can’t be disconnected: they are used directly', () => {
    expect(() => disconnect(new Account())).toThrow(/a free-threaded one is used directly/)
  })
})
