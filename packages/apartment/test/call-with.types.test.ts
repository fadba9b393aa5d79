import { type CallSettings, callWith, type OneWay, type Remote, type RemoteFunction } from '@flatshare/apartment'
import { describe, expectTypeOf, it } from 'vitest'

interface Store {
  readonly size: number
  save(key: string, value: Uint8Array): number
  load<T>(key: string, otherwise: T): Promise<T>
}

declare const store: Remote<Store>
declare const double: RemoteFunction<(x: number) => number>
declare const settings: CallSettings

describe('callWith', () => {
  it('keeps the type of the proxy', () => {
    const typed = () => callWith(store, { timeout: 5 })
    expectTypeOf(typed).returns.toEqualTypeOf<Remote<Store>>()
    const asked = () => callWith(store, { reply: true })
    expectTypeOf(asked).returns.toEqualTypeOf<Remote<Store>>()
  })

  it('gives methods without results where no answer is wanted, and no properties', () => {
    const oneWay = () => callWith(store, { reply: false })
    expectTypeOf(oneWay).returns.toEqualTypeOf<OneWay<Remote<Store>>>()
    expectTypeOf<OneWay<Remote<Store>>['save']>().returns.toEqualTypeOf<Promise<void>>()
    expectTypeOf<OneWay<Remote<Store>>['save']>().toBeCallableWith('a', new Uint8Array())
    expectTypeOf<OneWay<Remote<Store>>['load']>().returns.toEqualTypeOf<Promise<void>>()
    expectTypeOf<OneWay<Remote<Store>>>().not.toHaveProperty('size')
    expectTypeOf<OneWay<Remote<Store>>>().toExtend<Disposable>()
    expectTypeOf<OneWay<any>>().toBeAny()
  })

  it('does so with functions', () => {
    const oneWay = () => callWith(double, { reply: false })
    expectTypeOf(oneWay).returns.toBeCallableWith(2)
    expectTypeOf<ReturnType<OneWay<typeof double>>>().toEqualTypeOf<Promise<void>>()
  })

  it('gives either where the settings don’t tell', () => {
    const either = () => callWith(store, settings)
    expectTypeOf(either).returns.toEqualTypeOf<Remote<Store> | OneWay<Remote<Store>>>()
  })

  it('takes no other settings', () => {
    // @ts-expect-error -- a number of milliseconds
    void (() => callWith(store, { timeout: '5' }))
    // @ts-expect-error -- there is only that
    void (() => callWith(store, { onAbort: 'stop' }))
    // @ts-expect-error -- no such setting
    void (() => callWith(store, { deadline: 5 }))
  })
})
