import type { Apartment, Remote, RemoteModule } from '@flatshare/apartment'
import { describe, expectTypeOf, it } from 'vitest'
import type { Store } from './apartments.js'
import type { Account, Relay } from './threads/store.js'

declare const apartment: Apartment<Store>
declare const account: Remote<Account>
declare const relay: Remote<Relay>

class Folder {
  name = ''
  readonly size: number = 0
  items(): string[] {
    return []
  }
  async later<T>(value: T): Promise<T> {
    return value
  }
  overloaded(x: string): Promise<string>
  overloaded(x: number): Promise<number>
  async overloaded(x: unknown): Promise<any> {
    return x
  }
  open(name: string): Folder | undefined {
    return name ? this : undefined
  }
  list(): Folder[] {
    return [this]
  }
  add(folder: Folder, tags?: string[]): void {
    folder.add(this, tags)
  }
  onChange(listener: (count: number) => void): () => boolean {
    listener(0)
    return () => true
  }
  when(): Date {
    return new Date()
  }
}
declare const folder: Remote<Folder>

describe('Remote<T>', () => {
  it('gives promises for what is synchronous, and leaves the signatures of what is not', () => {
    const calls = () => {
      expectTypeOf(folder.items()).toEqualTypeOf<Promise<string[]>>()
      expectTypeOf(folder.when()).toEqualTypeOf<Promise<Date>>()
      expectTypeOf(folder.size).toEqualTypeOf<Promise<number>>()
      expectTypeOf(folder.later(5)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(folder.overloaded('x')).toEqualTypeOf<Promise<string>>()
      expectTypeOf(folder.overloaded(1)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(account.deposit(1)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(account.itself()).toEqualTypeOf<Promise<Remote<Account>>>()
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('gives proxies for objects with methods, and takes them', () => {
    const calls = () => {
      expectTypeOf(folder.open('x')).toEqualTypeOf<Promise<Remote<Folder> | undefined>>()
      expectTypeOf(folder.list()).toEqualTypeOf<Promise<Remote<Folder>[]>>()
      void folder.add(folder)
      void folder.add(new Folder(), ['tag'])
      void relay.forward(account, 1)
      // @ts-expect-error a string is no folder
      void folder.add('folder')
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('gives remote functions', () => {
    const calls = async () => {
      const stop = await folder.onChange((count) => expectTypeOf(count).toEqualTypeOf<number>())
      expectTypeOf(stop()).toEqualTypeOf<Promise<boolean>>()
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('takes no assignment and knows no other members', () => {
    const calls = () => {
      // @ts-expect-error read-only
      folder.size = 4
      // @ts-expect-error no such method
      void folder.nothing()
      // @ts-expect-error no such method
      void folder.then()
    }
    expectTypeOf(calls).toBeFunction()
  })
})

describe('Apartment<M>', () => {
  it('knows the classes of its module and their constructors', () => {
    const calls = async () => {
      expectTypeOf(await apartment.create('Account', 5)).toEqualTypeOf<Remote<Account>>()
      expectTypeOf(await apartment.create('Account')).toEqualTypeOf<Remote<Account>>()
      expectTypeOf(await apartment.create(Folder)).toEqualTypeOf<Remote<Folder>>()
      // @ts-expect-error no such class
      await apartment.create('Acount')
      // @ts-expect-error a function is no class
      await apartment.create('resize')
      // @ts-expect-error the constructor takes a number
      await apartment.create('Account', 'five')
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('has functions and objects, not classes, on remote', () => {
    const calls = async () => {
      expectTypeOf(await apartment.remote.resize(1, (x) => x)).toEqualTypeOf<number>()
      expectTypeOf(await (await apartment.remote.settings).theme).toEqualTypeOf<string>()
      expectTypeOf(await (await apartment.remote.settings).double(1)).toEqualTypeOf<number>()
      // @ts-expect-error classes are created
      apartment.remote.Account
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('is loose where its module is not known', () => {
    const calls = async (loose: Apartment, api: RemoteModule<any>) => {
      await (await loose.create('Anything', 1, 2)).whatever()
      await loose.remote.anything(1)
      await api.anything(1)
    }
    expectTypeOf(calls).toBeFunction()
  })
})
