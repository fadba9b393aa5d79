import { inspect } from 'node:util'
import {
  Apartment,
  ApartmentThreaded,
  blocking,
  callWith,
  currentCall,
  disconnect,
  release,
  serve,
} from '@flatshare/apartment'
import { currentThread, DeadlockError, DisconnectedError } from '@flatshare/core'
import { describe, expect, it } from 'vitest'
import { gate, openStore } from './apartments.js'

class Ledger {
  readonly entries: unknown[] = []
  #running = 0
  most = 0

  constructor(first?: unknown) {
    if (first === 'fails') throw new RangeError('no ledger')
    if (first !== undefined) this.entries.push(first)
  }

  get count(): number {
    return this.entries.length
  }

  add(entry: unknown): number {
    return this.entries.push(entry)
  }

  last(): unknown {
    return this.entries.at(-1)
  }

  async slow(step: () => Promise<unknown> | unknown): Promise<number> {
    this.most = Math.max(this.most, ++this.#running)
    await step()
    this.#running--
    return this.most
  }

  itself(): Ledger {
    return this
  }

  isItself(x: unknown): boolean {
    return x === this
  }

  caller(): unknown {
    return [currentCall()!.caller, currentCall()!.path.length]
  }
}
ApartmentThreaded({ name: 'Ledger' })(Ledger)

const { current } = Apartment

describe('Apartment.current', () => {
  it('is the running thread', async () => {
    expect(Apartment.current).toBe(current)
    expect(current.threadId).toBe(currentThread.id)
    expect(current.name).toBe('main')
    expect(inspect(current)).toBe(`Apartment { name: "main", thread: ${currentThread.id}, connected }`)
  })

  it('makes an object here, whose proxy’s calls queue', async () => {
    const ledger = await current.create(Ledger, 'first')
    expect(String(ledger)).toMatch(/^Remote<Ledger> \{ home: "main"/)
    expect(await ledger.count).toBe(1)
    const steps = [1, 2, 3].map(() => ledger.slow(() => new Promise((resolve) => setImmediate(resolve))))
    expect(await Promise.all(steps)).toEqual([1, 1, 1])
    expect(await ledger.slow(() => ledger.add('from inside'))).toBe(1)
    expect(await ledger.caller()).toEqual([currentThread.id, 1])
  })

  it('copies what crosses, and knows what comes home', async () => {
    const ledger = await current.create(Ledger)
    const entry = { deep: [1] }
    await ledger.add(entry)
    entry.deep.push(2)
    expect(await ledger.last()).toEqual({ deep: [1] })
    const home = (await ledger.itself()) as unknown as Ledger
    expect(home).toBeInstanceOf(Ledger)
    expect(await ledger.isItself(ledger)).toBe(true)
    expect(await ledger.isItself(home)).toBe(true)
    const listener = () => 5
    await ledger.add(listener)
    expect(await ledger.last()).toBe(listener)
  })

  it('tells errors as from afar', async () => {
    const ledger: any = await current.create(Ledger)
    await expect(current.create(Ledger, 'fails')).rejects.toThrow(RangeError)
    await expect(ledger.add(Symbol('s'))).rejects.toThrow(/can't cross/)
    expect(ledger.nothing).toBeUndefined()
    disconnect((await ledger.itself()) as Ledger)
    await expect(ledger.count).rejects.toThrow(DisconnectedError)
  })

  it('gives proxies that other threads use directly', async () => {
    await using apartment = await openStore()
    const relay = await apartment.create('Relay')
    const ledger = await current.create(Ledger, 'one')
    const seen: unknown = await relay.callBack(async () => ledger.count)
    expect(seen).toBe(1)
    await relay.hold(ledger)
    const home = await relay.held()
    expect(home).toBeInstanceOf(Ledger)
    release(ledger)
    await expect(ledger.count).rejects.toThrow(/this proxy was released/)
    expect(((await relay.held()) as Ledger).entries).toEqual(['one'])
  })

  it('bounds its calls by signals and deadlines', async () => {
    const ledger = await current.create(Ledger)
    const { open, opened } = gate()
    const busy = ledger.slow(() => opened)
    await expect(callWith(ledger, { timeout: 10 }).count).rejects.toMatchObject({ name: 'TimeoutError' })
    const controller = new AbortController()
    const waiting = callWith(ledger, { signal: controller.signal }).count
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    open()
    expect(await busy).toBe(1)
  })

  it('blocks on what is free, and never on itself', async () => {
    const ledger = await current.create(Ledger, 'one')
    expect(blocking(ledger).count).toBe(1)
    const { open, opened } = gate()
    const busy = ledger.slow(() => opened)
    await Promise.resolve()
    expect(() => blocking(ledger).count).toThrow(DeadlockError)
    open()
    await busy
  })

  it('calls what this thread serves, by name', async () => {
    expect((current.remote as any).treble).toBeUndefined()
    serve({ treble: (x: number) => 3 * x, Ledger })
    expect(await current.remote.treble(2)).toBe(6)
    expect(current.remote).toBe(current.remote)
    const ledger: any = await current.create('Ledger' as never)
    expect(await ledger.count).toBe(0)
    await expect(current.create('Nothing' as never)).rejects.toThrow(/No class "Nothing" is served here/)
  })

  it('can’t be closed', async () => {
    await expect(current.close()).rejects.toThrow(TypeError)
    await expect(current.terminate()).rejects.toThrow(TypeError)
  })

  it('works on any thread', async () => {
    await using apartment = await Apartment.open<typeof import('./threads/residents.js')>(
      new URL('./threads/residents.js', import.meta.url),
      { name: 'there' },
    )
    const [stays, resident] = await apartment.remote.live()
    expect(stays).toEqual([1, 1, 1])
    expect(await resident.stay()).toBe(1)
    expect(String(resident)).toMatch(/^Remote<Resident> \{ home: "there"/)
    expect(await apartment.remote.name()).toBe('there')
    expect(await apartment.remote.isMain()).toBe(false)
  })
})
