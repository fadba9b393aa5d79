/** Events, progress and contexts between the page and a worker: a tower of the worker's, and how the page uses it. */
import { type AdviseRequest, AdviseSource, dispatchPending, on, thisThreadAdviseSink } from '@flatshare/advise-sink'
import { type Apartment, ApartmentThreaded } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'
import { Progress } from '@flatshare/progress'
import { PerThread, ThreadAware } from '@flatshare/thread-aware'
import type { Bank } from './bank.js'

interface BellEvents {
  struck: { hour: number }
  silent: undefined
}

const newBell = () => new AdviseSource<BellEvents>({ events: ['struck', 'silent'] })
type Bell = ReturnType<typeof newBell>

@ThreadAware()
@ApartmentThreaded()
export class Tower {
  readonly #bell = newBell()
  readonly #heard: string[] = []
  @PerThread(() => ({ visits: 0 })) visitor!: { visits: number }

  advise(...request: AdviseRequest<BellEvents>) {
    return this.#bell.advise(...request)
  }

  strike(times: number): void {
    for (let hour = 0; hour < times; hour++) this.#bell.raise('struck', { hour })
    this.#bell.raise('silent')
  }

  /** Listens to a bell of another thread, on this one. */
  listenTo(bell: Bell) {
    const sink = thisThreadAdviseSink((batch: ReadonlyArray<{ event: string }>) => {
      for (const { event } of batch) this.#heard.push(`${event} on ${currentThread.name}`)
    })
    const connection = bell.advise('*', sink)
    return { leave: () => connection.unadvise() }
  }

  get heard(): readonly string[] {
    return this.#heard
  }

  raiseOn(bell: Bell, hour: number): void {
    bell.raise('struck', { hour })
  }

  /** Works until it is told that the work was cancelled. */
  async wind(progress: Progress): Promise<number> {
    let turns = 0
    while (progress.advance()) {
      turns++
      if (turns % 1000 === 0) await new Promise((resolve) => setTimeout(resolve))
    }
    return turns
  }

  climb(progress: Progress, steps: number): void {
    for (let i = 0; i < steps; i++) progress.advance()
  }

  visit(): number {
    return ++this.visitor.visits
  }
}

export async function useTower(first: Apartment<Bank>, second: Apartment<Bank>) {
  const tower = await first.create('Tower')

  // A bell of the worker's, heard on the page.
  const hours: number[] = []
  let isFrozen = true
  const silent = new Promise<void>((resolve) => {
    void tower.advise(['struck', 'silent'], (batch) => {
      for (const now of batch) {
        if (now.event === 'silent') resolve()
        else {
          hours.push(now.payload.hour)
          isFrozen &&= Object.isFrozen(now.payload)
        }
      }
    })
  })
  await tower.strike(5000)
  await silent

  // A bell of the page's, heard on the worker and by a loop here; other threads raise it.
  const bell = newBell()
  const { leave } = await tower.listenTo(bell)
  const looped: number[] = []
  const loop = (async () => {
    for await (const { payload } of on(bell, 'struck')) if (looped.push(payload.hour) === 3) break
  })()
  bell.raise('struck', { hour: 1 })
  await tower.raiseOn(bell, 2)
  const outcome = await bell.raiseAndWait('struck', { hour: 3 })
  await loop
  await leave()
  bell.raise('struck', { hour: 4 })

  // What waits for a sink of this thread is delivered when it is asked for.
  let now = 0
  const here = bell.advise('silent', () => void now++)
  bell.raise('silent')
  const before = now
  const dispatched = dispatchPending()
  await here.unadvise()

  const climbing = new Progress({ total: 3000, label: 'Climbing' })
  const seen: number[] = []
  const watching = (async () => {
    for await (const { value } of climbing.watch({ interval: 1 })) seen.push(value)
  })()
  const other = await second.create('Tower')
  const parts = [climbing.child({ items: 1000 }), climbing.child({ items: 2000 })]
  await Promise.all([tower.climb(parts[0]!, 1000), other.climb(parts[1]!, 2000)])
  await watching

  const winding = new Progress({ label: 'Winding' })
  await tower.visit()
  const wound = tower.wind(winding)
  for await (const { count } of winding.watch({ interval: 1 })) if (count > 0) break
  winding.cancel()
  const turns = await wound

  return {
    hours: hours.length,
    inOrder: hours.every((hour, i) => hour === i),
    isFrozen,
    outcome,
    looped,
    heard: await tower.heard,
    dispatched: [before, dispatched, now],
    climbed: [climbing.count, climbing.value, seen.at(-1)],
    neverBack: seen.every((value, i) => i === 0 || value >= seen[i - 1]!),
    stopped: turns > 0 && winding.cancelled,
    visits: [await tower.visit(), await other.visit()],
  }
}
