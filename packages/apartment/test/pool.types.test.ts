import type { ApartmentPool, PoolMapping, Remote, RemoteModule } from '@flatshare/apartment'
import { expectTypeOf, it } from 'vitest'

type Pooled = typeof import('./threads/pooled.js')
type Renderer = InstanceType<Pooled['Renderer']>

/** A module of one class, and one of none. */
interface Single {
  Renderer: Pooled['Renderer']
  double(x: number): number
}
/** Error classes beside functions, and beside a class. */
interface Failing {
  MyError: new (message: string) => Error
  mul(x: number, y: number): number
}
interface FailingSingle extends Failing {
  Renderer: Pooled['Renderer']
}
interface Untyped extends Failing {
  Anything: new () => any
}
interface Functions {
  double(x: number): number
}

it('pools are typed by their module', () => {
  const use = async (
    pool: ApartmentPool<Pooled>,
    single: ApartmentPool<Single>,
    functions: ApartmentPool<Functions>,
  ) => {
    expectTypeOf(pool.remote).toEqualTypeOf<RemoteModule<Pooled>>()
    expectTypeOf(await pool.remote.double(2)).toEqualTypeOf<number>()
    const renderer = await pool.replicate('Renderer', 'dark')
    expectTypeOf(renderer).toEqualTypeOf<Remote<Renderer>>()
    expectTypeOf(await pool.create('Renderer')).toEqualTypeOf<Remote<Renderer>>()
    // @ts-expect-error -- there is no such class
    await pool.create('Missing')
    // @ts-expect-error -- a theme is a text
    await pool.replicate('Renderer', 5)

    const mapped = pool.map(renderer, ['a'], (replica, item, index) => {
      expectTypeOf(replica).toEqualTypeOf<Remote<Renderer>>()
      expectTypeOf(item).toEqualTypeOf<string>()
      expectTypeOf(index).toEqualTypeOf<number>()
      return replica.render()
    })
    expectTypeOf(mapped).toEqualTypeOf<PoolMapping<number>>()
    expectTypeOf(await mapped).toEqualTypeOf<number[]>()
    for await (const n of mapped) expectTypeOf(n).toEqualTypeOf<number>()

    expectTypeOf(
      await single.map([1], (replica) => {
        expectTypeOf(replica).toEqualTypeOf<Remote<Renderer> & RemoteModule<Single>>()
        return replica.theme
      }),
    ).toEqualTypeOf<string[]>()
    expectTypeOf(
      await functions.map([Promise.resolve(1)], (remote, x) => {
        expectTypeOf(remote).toEqualTypeOf<RemoteModule<Functions>>()
        return remote.double(x)
      }),
    ).toEqualTypeOf<number[]>()
  }
  const useFailing = async (
    failing: ApartmentPool<Failing>,
    single: ApartmentPool<FailingSingle>,
    untyped: ApartmentPool<Untyped>,
    many: ApartmentPool<Pooled>,
  ) => {
    const products = await failing.map([2], (remote, x) => {
      expectTypeOf(remote).toEqualTypeOf<RemoteModule<Failing>>()
      return remote.mul(x, x)
    })
    expectTypeOf(products).toEqualTypeOf<number[]>()
    await single.map([2], async (target, x) => {
      expectTypeOf(target).toEqualTypeOf<Remote<Renderer> & RemoteModule<FailingSingle>>()
      expectTypeOf(await target.mul(x, x)).toEqualTypeOf<number>()
      expectTypeOf(await target.render()).toEqualTypeOf<number>()
      // @ts-expect-error -- neither has that
      await target.missing()
    })
    await untyped.map([2], (target) => {
      expectTypeOf(target).toBeAny()
    })
    await many.map([2], (target) => {
      expectTypeOf(target).toBeAny()
    })
  }
  expectTypeOf(useFailing).toBeFunction()
  expectTypeOf(use).toBeFunction()
})
