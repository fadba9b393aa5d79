import {
  array,
  type DeepReadonly,
  enumeration,
  FreeThreaded,
  ref,
  Shared,
  type SharedArray,
  SharedMap,
  SharedSet,
  SharedVector,
  type ValueIn,
  type ValueOf,
  type ValueOut,
} from '@flatshare/free-threaded'
import type { Mutex } from '@flatshare/sync'
import { expect, expectTypeOf, test } from 'vitest'
import { type Color, Node } from './value-classes.js'

test('the type of a field follows from what is written', () => {
  expectTypeOf<ValueOf<'u8' | 'f64'>>().toEqualTypeOf<number>()
  expectTypeOf<ValueOf<'i64'>>().toEqualTypeOf<bigint>()
  expectTypeOf<ValueOf<'bool'>>().toEqualTypeOf<boolean>()
  expectTypeOf<ValueOf<'string'>>().toEqualTypeOf<string>()
  expectTypeOf<ValueOf<'bytes'>>().toEqualTypeOf<Uint8Array>()
  expectTypeOf<ValueOf<'u32[24]'>>().toEqualTypeOf<SharedArray<number>>()
  expectTypeOf<ValueOf<'i64[2]'>>().toEqualTypeOf<SharedArray<bigint>>()
  const wide = array('u64', 2)
  expectTypeOf<ValueOf<typeof wide>>().toEqualTypeOf<SharedArray<bigint>>()
  const state = enumeration('open', 'closed')
  expectTypeOf<ValueOf<typeof state>>().toEqualTypeOf<'open' | 'closed'>()
  expectTypeOf<ValueOf<readonly ['a', 'b']>>().toEqualTypeOf<'a' | 'b'>()
  expectTypeOf<ValueOf<typeof Color>>().toEqualTypeOf<Color>()
  const node = ref(() => Node)
  expectTypeOf<ValueOf<typeof node>>().toEqualTypeOf<Node | null>()
  expectTypeOf<ValueOf<typeof Node>>().toEqualTypeOf<Node | null>()
  expectTypeOf<ValueOf<typeof Mutex>>().toEqualTypeOf<Mutex | null>()
  expectTypeOf<ValueIn<'i16[3]'>>().toEqualTypeOf<ArrayLike<number>>()
  expectTypeOf<ValueOut<'i16[3]'>>().toEqualTypeOf<readonly number[]>()
  expectTypeOf<ValueIn<'json'>>().toBeUnknown()
})

test('what comes out frozen is readonly at any depth', () => {
  interface Settings {
    list: { name: string }[]
    map: Map<string, Set<number>>
    date: Date
  }
  expectTypeOf<DeepReadonly<Settings>['list']>().toEqualTypeOf<readonly { readonly name: string }[]>()
  expectTypeOf<DeepReadonly<Settings>['map']>().toEqualTypeOf<ReadonlyMap<string, ReadonlySet<number>>>()
  expectTypeOf<DeepReadonly<Settings>['date']>().not.toHaveProperty('setTime')
  expectTypeOf<DeepReadonly<Settings>['date']>().toHaveProperty('getTime')
  expectTypeOf<DeepReadonly<string | undefined>>().toEqualTypeOf<string | undefined>()
})

test('a field of another type does not compile', () => {
  const state = enumeration('open', 'closed')
  @FreeThreaded({ name: 'Typed' })
  class Typed {
    @Shared('string') text = 'right'
    @Shared('f64') accessor rate = 0.5
    @Shared(['draft', 'final']) state: 'draft' | 'final' = 'draft'
    @Shared(Node) node: Node | null = null
    // @ts-expect-error a string is no number
    @Shared('f64') balance = 'wrong'
    // @ts-expect-error nor the other way round
    @Shared('string') owner = 1
    // @ts-expect-error bigint, not number
    @Shared('i64') accessor cents = 1
    // @ts-expect-error not one of them
    @Shared(state) door: 'open' | 'ajar' = 'open'
    // @ts-expect-error a Mutex is no Node
    @Shared(Node) other: Mutex | null = null
  }
  expect(Typed.name).toBe('Typed')
})

test('containers are classes as any', () => {
  @FreeThreaded({ name: 'Indexes' })
  class Indexes {
    @Shared(SharedMap) byName: SharedMap<string, number> | null = null
    @Shared(ref(SharedVector)) list: SharedVector<string> | null = null
    @Shared(SharedSet) accessor seen: SharedSet<number> | null = new SharedSet({ of: 'i32' })
    fill(): unknown[] {
      this.byName = new SharedMap({ key: 'string', value: 'f64' }, [['a', 1]])
      this.list = new SharedVector({ of: 'string' }, ['x'])
      this.seen?.add(5)
      return [this.byName.get('a'), this.list.at(0), this.seen?.has(5)]
    }
  }
  expect(new Indexes().fill()).toEqual([1, 'x', true])
})
