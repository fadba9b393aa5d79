import {
  FlatshareError,
  marshal,
  modelOf,
  NotMarshalableError,
  type Packet,
  requireModel,
  unmarshal,
} from '@flatshare/core'
import { declareModel } from '@flatshare/core/internal'
import { FreeThreaded, locked, Shared } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { Account } from './classes.js'
import { startThread } from './thread.js'

/** A packet as another thread would get it. */
const cross = <T>(x: T): Packet<T> => {
  const [packet, transferList] = marshal(x)
  return structuredClone(packet, { transfer: transferList })
}

describe('S8 identity', () => {
  test('a reference that comes home is the object, at any depth', () => {
    const account = new Account()
    const { list } = unmarshal(cross({ list: [account, account] }))
    expect(list[0]).toBe(account)
    expect(list[1]).toBe(account)
  })

  test('S11 it is itself wherever memory is shared', async () => {
    const account = new Account()
    expect(modelOf(account)).toBe('free')
    expect(requireModel(account, 'free')).toBe(account)
    expect(await startThread().run('isInstance', account)).toBe(true)
  })
})

describe('what cannot arrive', () => {
  test('a class that the thread has not imported', async () => {
    const { name } = { name: 'Stranger' }
    const Stranger = class {
      n = 1
    }
    FreeThreaded({ name, shared: { n: 'i32' } })(Stranger)
    await expect(startThread().run('isInstance', new Stranger())).rejects.toThrow(
      /class Stranger arrived, and this thread doesn't know that class: import its module \(.*crossing\.test\.[jt]s\) here/,
    )
  })

  test('a class with other fields there', async () => {
    class Edition {}
    FreeThreaded({ name: 'Edition', shared: { same: 'i32', year: 'f64', sold: 'bool' } })(Edition)
    await expect(startThread().run('isInstance', new Edition())).rejects.toThrow(
      'The class Edition differs between two threads: only there it shares year:f64, sold:bool; only here year:i32.',
    )
  })

  test('two classes under one name', () => {
    const make = () => FreeThreaded({ name: 'Twin', shared: { n: 'i32' } })
    class One {}
    class Two {}
    make()(One)
    make()(Two)
    expect(() => marshal(new One())).toThrow(/2 free-threaded classes are called Twin.*\{ name: '…' \}/)
  })

  test('an address that does not exist', () => {
    class Forged {}
    FreeThreaded({ name: 'Forged', shared: { n: 'i32' } })(Forged)
    for (const address of [-16, 8, 1.5, 2 ** 40, Number.NaN, 'x']) {
      const packet = cross(new Forged()) as any
      packet.refs[0][2].address = address
      expect(() => unmarshal(packet)).toThrow(NotMarshalableError)
    }
  })
})

describe('S6 models of subclasses', () => {
  test('a free subclass of a class with another model is refused at decoration', () => {
    class Home {}
    declareModel(Home, 'apartment')
    class Away extends Home {}
    expect(() => FreeThreaded()(Away)).toThrow(/Away can't be a free-threaded class: its parent Home is/)
  })

  test('a narrowed subclass may have ordinary state', () => {
    class Narrowed extends Account {
      history: number[] = []
      override deposit(amount: number): number {
        this.history.push(amount)
        return super.deposit(amount)
      }
    }
    declareModel(Narrowed, 'single')
    const narrowed = new Narrowed()
    expect([narrowed.deposit(2), narrowed.history]).toEqual([2, [2]])
  })

  test('an undecorated subclass that adds nothing works here, and does not cross as its parent', () => {
    class Same extends Account {}
    expect(new Same().deposit(1)).toBe(1)
    expect(() => marshal(new Same())).toThrow(/Same extends the free-threaded Account but is not decorated itself/)
  })
})

describe('S4', () => {
  test('a field that is added later is refused', () => {
    @FreeThreaded()
    class Late {
      @Shared('i32') n = 0
      cache?: string
      read() {
        return this.n
      }
      keep() {
        this.cache = 'mine'
      }
    }
    delete new Late().cache
    const late = new Late()
    delete late.cache
    expect(late.read()).toBe(0)
    marshal(late)[0][Symbol.dispose]()
    expect(() => late.keep()).toThrow(/Late\.keep adds a field to an object that other threads hold/)
    const other = new Late()
    delete other.cache
    other.keep()
    expect(() => marshal(other)).toThrow(/Late\.cache is neither shared nor per-thread/)
  })

  test('fields that a subclass adds after its parent called a method are adopted before they cross', () => {
    @FreeThreaded()
    class Parent {
      @Shared('i32') a = 1
      constructor() {
        this.start()
      }
      start() {
        this.a++
      }
    }
    @FreeThreaded()
    class Child extends Parent {
      @Shared('i32') b = 5
      sum() {
        return this.a + this.b
      }
    }
    const child = new Child()
    expect(child.sum()).toBe(7)
    marshal(child)[0][Symbol.dispose]()
    expect([Object.keys(child), child.sum()]).toEqual([[], 7])
  })
})

describe('classes', () => {
  test('methods of an undecorated parent are locked, and its @Shared fields shared', () => {
    class Base {
      @Shared('i32') n = 1
      bump() {
        return ++this.n
      }
    }
    @FreeThreaded()
    class Derived extends Base {
      @Shared('i32') m = 2
    }
    const derived = new Derived()
    expect([derived.bump(), derived.m, Object.keys(derived)]).toEqual([2, 2, []])
    expect(Object.hasOwn(Base.prototype, 'n')).toBe(false)
  })

  test('a field declared again keeps its place, and its type', () => {
    @FreeThreaded({ name: 'First' })
    class First {
      @Shared('i32') n = 1
    }
    @FreeThreaded({ name: 'Second' })
    class Second extends First {
      @Shared('i32') override n = 2
      @Shared('i32') m = 3
      both() {
        return [this.n, this.m]
      }
    }
    expect(new Second().both()).toEqual([2, 3])
    class Third extends First {}
    expect(() => FreeThreaded({ shared: { n: 'f64' } })(Third)).toThrow(/Third\.n can't be shared as f64/)
  })

  test('symbols and accessors as members', () => {
    const secret = Symbol('secret')
    @FreeThreaded()
    class Odd {
      @Shared('i32') [secret] = 1;
      [Symbol.toPrimitive]() {
        return this[secret]
      }
      get value() {
        return this[secret]
      }
      set value(value: number) {
        this[secret] = value
      }
    }
    const odd = new Odd()
    odd.value = 4
    expect([+odd, odd.value, Object.getOwnPropertySymbols(odd)]).toEqual([4, 4, []])
  })

  test('a description does what the decorators do', async () => {
    class Counter {
      n = 3
      bump(): number {
        return ++this.n
      }
      *walk() {
        yield this.n
      }
    }
    FreeThreaded({ name: 'Described', shared: { n: 'i32' }, unlocked: ['walk'] })(Counter)
    const counter = new Counter()
    expect([counter.bump(), ...counter.walk(), Object.keys(counter)]).toEqual([4, 4, []])
    expect(unmarshal(cross(counter))).toBe(counter)
  })

  test('decorating twice and decorating the nameless are refused', () => {
    class Twice {}
    FreeThreaded()(Twice)
    expect(() => FreeThreaded()(Twice)).toThrow(FlatshareError)
    expect(() => FreeThreaded()((() => class {})())).toThrow(/without a name/)
  })

  test('a method called on something else says so', () => {
    expect(() => Account.prototype.deposit.call({} as Account, 1)).toThrow(TypeError)
    expect(() => Account.prototype.deposit(1)).toThrow(/no instance/)
  })

  test('the state moves once, and the object keeps fast properties', () => {
    const account = new Account()
    locked(account, () => {})
    expect(Reflect.ownKeys(account)).toEqual([])
    expect(account.balance).toBe(0)
  })
})
