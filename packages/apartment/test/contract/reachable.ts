import { inspect } from 'node:util'
import type { Apartment, Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../apartments.js'
import type { Account } from '../threads/store.js'
import { type Opener, storeOpener } from './opener.js'

export function reachable(open: Opener): void {
  const openStore = storeOpener(open)

  let apartment: Apartment<Store>
  let account: Remote<Account>
  let loose: any

  beforeAll(async () => {
    apartment = await openStore({ name: 'bank' })
    account = await apartment.create('Account', 100)
    loose = account
  })
  afterAll(() => apartment.close())

  describe('what other threads reach', () => {
    it.each([
      'reset',
      'hiddenGetter',
      'hiddenInBase',
      'secretField',
      'history',
      'constructor',
      '__proto__',
      'hasOwnProperty',
      '__defineGetter__',
      '#private',
      'nothing',
      'then',
    ])('is not %s', async (member) => {
      expect(loose[member]).toBeUndefined()
      expect(await account.usesPrivate()).toBe(true)
    })

    it('is not what a description hides', async () => {
      const described: any = await apartment.create('Described')
      expect(await described.shown()).toBe('shown')
      expect(described.secret).toBeUndefined()
    })

    it('is not a class that is not served', async () => {
      const loosely: Apartment = apartment
      await expect(loosely.create('Nothing')).rejects.toThrow(/No class "Nothing" is served here: .*Account/)
      await expect(loosely.create('resize')).rejects.toThrow(TypeError)
      await expect(loosely.create('__proto__')).rejects.toThrow(TypeError)
    })
  })

  describe('a proxy', () => {
    it('can be awaited', async () => {
      expect(await Promise.resolve(account)).toBe(account)
    })

    it('takes no assignment, and says so', () => {
      for (const key of ['balance', 'deposit', 'fresh', '__proto__']) {
        expect(() => {
          loose[key] = 1
        }).toThrow(/nothing can be assigned through a proxy/)
      }
    })

    it('gives no way to pollute prototypes, on either side', async () => {
      expect(() => {
        loose['__proto__'].x = 1
      }).toThrow(TypeError)
      const remote: any = apartment.remote
      expect(() => {
        remote['__proto__'].x = 1
      }).toThrow(TypeError)
      const sent = JSON.parse('{"__proto__": {"x": 1}}')
      const back = await account.echo(sent)
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
      expect(await apartment.remote.polluted()).toBe(false)
      expect('x' in {}).toBe(false)
    })

    it('shows what it is', async () => {
      expect(inspect(account)).toBe('Remote<Account> { home: "bank", connected }')
      expect(`${account}`).toBe('Remote<Account> { home: "bank", connected }')
      expect(inspect({ account })).toContain('Remote<Account>')
      expect(Object.prototype.toString.call(account)).toBe('[object Remote<Account>]')
      const fn = await account.echo(await account.echo(Math.max))
      expect(fn).toBe(Math.max)
    })

    it('has methods that never throw, but reject', async () => {
      const { deposit } = account
      await expect(deposit(1)).rejects.toThrow(/deposit is a method of a proxy/)
      await expect(loose.deposit.call(3, 1)).rejects.toThrow(TypeError)
    })
  })
}
