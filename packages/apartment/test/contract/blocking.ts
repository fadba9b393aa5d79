import { type Apartment, blocking, callWith, type Remote } from '@flatshare/apartment'
import { CannotBlockError, DeadlockError, DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Carrier } from '../threads/carrying.js'
import { Cells } from '../threads/cells.js'
import { type Carrying, carryingUrl, type Opener } from './opener.js'

const thrownBy = (act: () => unknown): any => {
  try {
    return { gave: act() }
  } catch (error) {
    return error
  }
}

export function blockingCalls(open: Opener): void {
  let apartments: Array<Apartment<Carrying>>
  let a: Remote<Carrier>
  let b: Remote<Carrier>

  beforeAll(async () => {
    apartments = await Promise.all(['a', 'b'].map((name) => open<Carrying>(carryingUrl, { name })))
    ;[a, b] = (await Promise.all(apartments.map((apartment) => apartment.create('Carrier')))) as [
      Remote<Carrier>,
      Remote<Carrier>,
    ]
  })
  afterAll(() => Promise.all(apartments.map((apartment) => apartment.close())))

  it('give the result of the call, of an async one too, and of a getter', () => {
    expect(blocking(a).ping()).toBe('pong')
    expect(blocking(a).echo({ deep: [1n] })).toEqual({ deep: [1n] })
    expect(blocking(a).name).toBe('carrier')
  })

  it('keep the order with calls that do not block', async () => {
    const c = await apartments[0]!.create('Carrier')
    void c.note('first')
    blocking(c).note('second')
    expect(await c.collected()).toEqual(['first', 'second'])
  })

  it('S16 serve calls of their own causality meanwhile, through three threads and back', () => {
    const order: string[] = []
    const result = blocking(a).blockOn(() => {
      order.push('here')
      return blocking(b).blockOn(() => {
        order.push('here again')
        return `and ${blocking(a).ping()}`
      })
    })
    expect(result).toBe('and pong')
    expect(order).toEqual(['here', 'here again'])
  })

  it('S16 refuse a callback that gives a promise: it could not settle', () => {
    const error = thrownBy(() => blocking(a).blockOn(async () => 'never'))
    expect(error).toBeInstanceOf(CannotBlockError)
  })

  it('throw what the call throws', () => {
    const error = thrownBy(() =>
      blocking(a).blockOn(() => {
        throw new RangeError('from here')
      }),
    )
    expect(error).toEqual(new RangeError('from here'))
    expect(error.stack).toMatch(
      /--- on the thread "a" ---\n\s+--- called from the thread "main" ---\n\s+at .*contract\/blocking/,
    )
  })

  it('S14 end by their timeout', () => {
    expect(thrownBy(() => blocking(callWith(a, { timeout: 20 })).spin())).toMatchObject({ name: 'TimeoutError' })
    expect(blocking(a).howItEnded()).toBe('TimeoutError')
  })

  it('S13 end with the thread', async () => {
    const doomed = await open<Carrying>(carryingUrl, { name: 'doomed' })
    const carrier = await doomed.create('Carrier')
    const error = thrownBy(() => blocking(carrier).exitAfter(3))
    expect(error).toBeInstanceOf(DisconnectedError)
    expect(error.mayHaveRun).toBe(true)
    expect(thrownBy(() => blocking(carrier).ping())).toMatchObject({ mayHaveRun: false })
    await doomed.close()
  })

  // Who blocks on whom is written in shared memory.
  it.runIf(open.sharesMemory)(
    'S17 in a circle: one of them is told, with every link, and the others go on',
    async () => {
      const cells = Cells.of(2, open.sharesMemory)
      const ends = await Promise.allSettled([a.meetAndBlock(cells, 0, b), b.meetAndBlock(cells, 1, a)])
      const refused = ends.filter((end) => end.status === 'rejected')
      expect(refused).toHaveLength(1)
      expect(refused[0]!.reason).toBeInstanceOf(DeadlockError)
      expect(refused[0]!.reason.message).toMatch(/Carrier\.ping/)
      expect(ends).toContainEqual({ status: 'fulfilled', value: 'pong' })
    },
  )

  it.runIf(!open.sharesMemory)('S17 in a circle that none can see end by their time, and all go on', async () => {
    const cells = Cells.of(2, open.sharesMemory)
    const ends = await Promise.allSettled([a.meetAndBlock(cells, 0, b, 100), b.meetAndBlock(cells, 1, a, 100)])
    const refused = ends.filter((end) => end.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) expect(reason).toMatchObject({ name: 'TimeoutError' })
    expect([blocking(a).ping(), blocking(b).ping()]).toEqual(['pong', 'pong'])
  })
}
