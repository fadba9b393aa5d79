import type { Blocking, Remote } from '@flatshare/apartment'
import { describe, expectTypeOf, it } from 'vitest'

class Child {
  name(): string {
    return ''
  }
}

class Parent {
  get first(): Child {
    return new Child()
  }
  count(): number {
    return 0
  }
  async later<T>(value: T): Promise<T> {
    return value
  }
  found(name: string): Child
  found(index: number): Promise<string>
  found(x: unknown): any {
    return x
  }
  add(_child: Child): boolean {
    return true
  }
  async *children(): AsyncGenerator<Child> {
    yield new Child()
  }
}

describe('Blocking<T>', () => {
  it('has the members of the object, with awaited results', () => {
    const calls = async (parent: Blocking<Parent>, child: Remote<Child>) => {
      expectTypeOf(parent.count).toEqualTypeOf<() => number>()
      expectTypeOf(parent.later('x')).toEqualTypeOf<unknown>()
      expectTypeOf(parent.found('x')).toEqualTypeOf<Remote<Child>>()
      expectTypeOf(parent.found(1)).toEqualTypeOf<string>()
      expectTypeOf(parent.first).toEqualTypeOf<Remote<Child>>()
      expectTypeOf(parent.add(child)).toEqualTypeOf<boolean>()
      expectTypeOf(parent.add(new Child())).toEqualTypeOf<boolean>()
      for await (const each of parent.children()) expectTypeOf(each).toEqualTypeOf<Remote<Child>>()
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('is the same of an object and of its proxy', () => {
    expectTypeOf<Blocking<Remote<Parent>>>().toEqualTypeOf<Blocking<Parent>>()
    expectTypeOf<Blocking<Remote<(x: number) => Promise<string>>>>().toBeCallableWith(1)
    expectTypeOf<Blocking<any>>().toBeAny()
  })
})
