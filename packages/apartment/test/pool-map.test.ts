import { ApartmentPool } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gate } from './apartments.js'

type Pooled = typeof import('./threads/pooled.js')

let pool: ApartmentPool<Pooled>

beforeAll(() => {
  pool = new ApartmentPool<Pooled>(new URL('./threads/pooled.js', import.meta.url), { size: 2, name: 'map' })
})
afterAll(() => pool.terminate())

/** Items that say how far they were pulled, and whether they were closed. */
function counted(n: number) {
  const seen = { pulled: 0, closed: false }
  async function* items() {
    try {
      for (let i = 0; i < n; i++) {
        seen.pulled++
        yield i
      }
    } finally {
      seen.closed = true
    }
  }
  return { seen, items: items() }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('pool.map', () => {
  it('gives the results in the order of the items, whichever is done first', async () => {
    const gates = Array.from({ length: 6 }, () => gate())
    const work = pool.map([0, 1, 2, 3, 4, 5], async (remote, i) => {
      // The second of each pair lets the first go.
      if (i % 2 === 0) await gates[i]!.opened
      else gates[i - 1]!.open()
      return remote.double(i)
    })
    expect(await work).toEqual([0, 2, 4, 6, 8, 10])
    expect(await work).toEqual([0, 2, 4, 6, 8, 10])
  })

  it('or as they are done', async () => {
    const { open, opened } = gate()
    const results: number[] = []
    for await (const x of pool.map([0, 1, 2], async (_, i) => (i === 0 ? opened.then(() => i) : i), {
      ordered: false,
    })) {
      results.push(x)
      if (x === 2) open()
    }
    expect(results).toEqual([1, 2, 0])
  })

  it('gives each call of work a thread of its own while it lasts', async () => {
    const renderers = await pool.replicate('Renderer', 'own')
    const threads = await pool.map(renderers, [1, 2, 3, 4], async (renderer) => {
      const first = await renderer.thread()
      return [first, await renderer.thread()]
    })
    for (const [first, second] of threads) expect(first).toBe(second)
    expect(await pool.map([1], (renderer: any) => renderer.theme)).toEqual(['own'])
    const others = await pool.replicate('Other')
    expect(() => pool.map([1], () => 1)).toThrow(/Several classes are replicated/)
    expect(await pool.map(others, [1, 2], (other) => other.hello())).toEqual(['hello', 'hello'])
    expect(() => pool.map({} as object, [1], () => 1)).toThrow(TypeError)
    renderers[Symbol.dispose]()
    others[Symbol.dispose]()
  })

  it('pulls no faster than it works, and than its results are read', async () => {
    const { seen, items } = counted(1000)
    const results = pool.map(items, (remote, i) => remote.double(i), { concurrency: 2 })[Symbol.asyncIterator]()
    expect(seen.pulled).toBe(0)
    expect(await results.next()).toEqual({ done: false, value: 0 })
    while (pool.stats().running > 0) await turn()
    for (let i = 0; i < 10; i++) await turn()
    expect(seen.pulled).toBeLessThanOrEqual(5)
    expect(seen.closed).toBe(false)
    await results.return!()
    await turn()
    expect(seen.closed).toBe(true)
    expect(await results.next()).toEqual({ done: true, value: undefined })
  })

  it('works through many items', async () => {
    const { seen, items } = counted(500)
    const results = await pool.map(items, (remote, i) => remote.double(i), { concurrency: 8 })
    expect(results).toEqual(Array.from({ length: 500 }, (_, i) => 2 * i))
    expect(seen).toEqual({ pulled: 500, closed: true })
    expect(await pool.map([], () => 1)).toEqual([])
    expect(await pool.map([Promise.resolve(3)], (remote, x) => remote.double(x))).toEqual([6])
  })

  it('ends with the first error: nothing more is pulled, and the source is closed', async () => {
    const { seen, items } = counted(1000)
    const failing = pool.map(items, async (remote, i) => {
      if (i === 5) throw new RangeError('the fifth')
      return remote.double(i)
    })
    await expect(failing).rejects.toThrow('the fifth')
    await turn()
    expect(seen.closed).toBe(true)
    expect(seen.pulled).toBeLessThan(20)
    const broken = (function* () {
      yield 1
      throw new RangeError('the source')
    })()
    await expect(pool.map(broken, (remote, i) => remote.double(i))).rejects.toThrow('the source')
  })

  it('ends with a break, and with its signal', async () => {
    const { seen, items } = counted(1000)
    for await (const x of pool.map(items, (remote, i) => remote.double(i))) if (x === 4) break
    await turn()
    expect(seen.closed).toBe(true)
    const controller = new AbortController()
    const never = pool.map(
      [1, 2],
      () =>
        new Promise((_, reject) => {
          controller.signal.addEventListener('abort', () => reject(new Error('ended')))
        }),
      { signal: controller.signal },
    )
    const failed = expect(never).rejects.toThrow('enough')
    await turn()
    controller.abort(new Error('enough'))
    await failed
    await expect(pool.map([1], () => 1, { signal: controller.signal })).rejects.toThrow('enough')
    while (pool.stats().running > 0) await turn()
  })

  it('ends with the death of a thread at work', async () => {
    const renderers = await pool.replicate('Renderer')
    const deadly = pool.map(renderers, [0, 1, 2, 3], (renderer, i) => (i === 2 ? renderer.exit() : renderer.render()))
    await expect(deadly).rejects.toThrow(DisconnectedError)
    expect(await pool.map(renderers, [1, 2, 3], (renderer) => renderer.theme)).toEqual(['plain', 'plain', 'plain'])
    renderers[Symbol.dispose]()
  })

  it('is a promise to whoever catches', async () => {
    const failing = () => pool.map([1], () => Promise.reject(new RangeError('no')))
    expect(await failing().catch((error: Error) => error.message)).toBe('no')
    let done = 0
    await pool.map([1], (remote, x) => remote.double(x)).finally(() => done++)
    expect(done).toBe(1)
  })

  it('is begun once', async () => {
    const once = pool.map([1], (remote, x) => remote.double(x))
    await once
    expect(() => once[Symbol.asyncIterator]()).toThrow(/has begun already/)
  })

  it('refuses what it can’t work through', () => {
    expect(() => pool.map(5 as never, () => 1)).toThrow(TypeError)
    expect(() => pool.map([1], 5 as never)).toThrow(TypeError)
    expect(() => pool.map([1], () => 1, { concurrency: 0 })).toThrow(RangeError)
    expect(() => pool.map([1], () => 1, { signal: 5 as never })).toThrow(TypeError)
  })
})
