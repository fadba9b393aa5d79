// The calls that compilers make of decorators, by hand: the legacy dialect's, the standard dialect's, and plain ones.

import { ApartmentThreaded, Hidden, Interleaved, SingleThreaded } from '@flatshare/apartment'
import { FlatshareError, marshal, modelOf } from '@flatshare/core'
import { describe, expect, it } from 'vitest'

const legacy = (decorate: any, prototype: object, key: string) =>
  decorate(prototype, key, Object.getOwnPropertyDescriptor(prototype, key))

/** What others are told of an object. */
function told(object: object): { name: string; methods: string[]; getters: string[] } {
  const [packet] = marshal(object)
  const [, name, methods, getters] = (packet as any).refs[0][2].about
  packet[Symbol.dispose]()
  return { name, methods, getters }
}

describe('decorators', () => {
  it('work in the legacy dialect, with and without parentheses', () => {
    for (const bare of [true, false]) {
      class Shown {
        a() {}
        b() {}
        get c() {
          return 1
        }
        get d() {
          return 1
        }
      }
      legacy(bare ? Hidden : Hidden(), Shown.prototype, 'b')
      legacy(bare ? Hidden : Hidden(), Shown.prototype, 'd')
      legacy(bare ? Interleaved : Interleaved(), Shown.prototype, 'a')
      expect(bare ? ApartmentThreaded(Shown) : ApartmentThreaded()(Shown)).toBeUndefined()
      expect(told(new Shown())).toEqual({ name: 'Shown', methods: ['a'], getters: ['c'] })
    }
  })

  it('work in the standard dialect, with and without parentheses', () => {
    @ApartmentThreaded
    class Bare {
      a() {}
      @Hidden b() {}
      @Interleaved c() {}
    }
    @Interleaved()
    @ApartmentThreaded({ name: 'Given' })
    class Full {
      a() {}
      @Hidden() b() {}
      @Hidden() accessor field = 1
      accessor shown = 1
    }
    expect(told(new Bare())).toEqual({ name: 'Bare', methods: ['a', 'c'], getters: [] })
    expect(told(new Full())).toEqual({ name: 'Given', methods: ['a'], getters: ['shown'] })
  })

  it('leave the class what it was', () => {
    class Plain {
      static made = 0
      #x = 1
      x() {
        return this.#x
      }
    }
    const before = [Plain.name, Plain.length, String(Plain), Object.getOwnPropertyNames(Plain.prototype)]
    ApartmentThreaded()(Plain)
    expect([Plain.name, Plain.length, String(Plain), Object.getOwnPropertyNames(Plain.prototype)]).toEqual(before)
    expect(new Plain().x()).toBe(1)
    expect(Object.keys(new Plain())).toEqual([])
  })

  it('S6 narrow a model, and contradict none', () => {
    @ApartmentThreaded()
    class Parent {
      a() {}
      @Hidden() b() {}
    }
    class Child extends Parent {
      override b() {}
      c() {}
    }
    class Narrow extends Parent {}
    SingleThreaded()(Narrow)
    expect(modelOf(Child)).toBe('apartment')
    expect(modelOf(new Narrow())).toBe('single')
    expect(told(new Child())).toEqual({ name: 'Child', methods: ['c', 'a'], getters: [] })
    @SingleThreaded
    class Single {}
    class Wide extends Single {}
    expect(() => ApartmentThreaded()(Wide)).toThrow(FlatshareError)
    expect(() => ApartmentThreaded()(Single)).toThrow(FlatshareError)
  })

  it('say early what a description gets wrong', () => {
    class Described {
      a() {}
    }
    expect(() => ApartmentThreaded({ hidden: ['b'] })(Described)).toThrow(/Described has no member "b"/)
    expect(() => Hidden()(Described, 'x')).toThrow(/static/)
    expect(() => ApartmentThreaded()(class {})).toThrow(/without a name/)
  })
})
