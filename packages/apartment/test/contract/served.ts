import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { connect, disconnect, serve, set } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import type { Opener } from './opener.js'

const ports: MessagePort[] = []

class Base {
  inherited(): string {
    return `base of ${this.constructor.name}`
  }
}

class Tally extends Base {
  field = 5
  #total = 0
  get total(): number {
    return this.#total
  }
  set total(value: number) {
    this.#total = value
  }
  add(n: number): number {
    return (this.#total += n)
  }
  /** Loses updates if two of it run at once. */
  async addSlowly(n: number): Promise<number> {
    const before = this.#total
    await new Promise((resolve) => setImmediate(resolve))
    return (this.#total = before + n)
  }
  async *upTo(n: number): AsyncGenerator<number> {
    for (let i = 1; i <= n; i++) yield i
  }
}

export function served({ link }: Opener): void {
  async function servedHere<T extends object>(exposed: T) {
    const { port1, port2 } = new MessageChannel()
    ports.push(port1, port2)
    serve(exposed, port1)
    return connect<T>(port2, { link })
  }

  afterEach(() => {
    for (const port of ports.splice(0)) port.close()
  })

  describe('what is served as a plain object', () => {
    it('has its own this, and is read when it is asked for', async () => {
      const counter = {
        count: 0,
        increase() {
          return ++this.count
        },
      }
      const remote = await servedHere(counter)
      expect(await remote.increase()).toBe(1)
      counter.count = 7
      expect(await remote.count).toBe(7)
      expect(await remote.increase()).toBe(8)
      counter.increase = () => -1
      expect(await remote.increase()).toBe(-1)
    })

    it('has accessors that nobody touches before they are asked for, and setters', async () => {
      let touched = 0
      const config = {
        get secret() {
          touched++
          return 'x'
        },
        level: 3,
        get verbosity() {
          return touched
        },
        set verbosity(value: number) {
          touched = value
        },
      }
      const remote = await servedHere(config)
      expect(touched).toBe(0)
      expect(await remote.secret).toBe('x')
      await set(remote, 'verbosity', 40)
      expect(await remote.verbosity).toBe(40)
      await expect(set(remote, 'level', 4)).rejects.toThrow('What is served as "level" has no setter.')
      await expect(set(remote as any, 'nothing', 4)).rejects.toThrow('Nothing is served here under the name "nothing"')
      expect(config.level).toBe(3)
    })
  })

  describe('what is served as an object of a class', () => {
    it('has the members of the class, and its calls run one at a time', async () => {
      const tally = new Tally()
      const remote = await servedHere(tally)
      expectTypeOf(remote.add).toEqualTypeOf<(n: number) => Promise<number>>()
      expect(await remote.add(2)).toBe(2)
      expect(await remote.inherited()).toBe('base of Tally')
      expect(await remote.field).toBe(5)
      await Promise.all([remote.addSlowly(1), remote.addSlowly(1), remote.addSlowly(1)])
      expect(await remote.total).toBe(5)
      await set(remote, 'total', 50)
      expect(tally.total).toBe(50)
      const counted: number[] = []
      for await (const n of remote.upTo(3)) counted.push(n)
      expect(counted).toEqual([1, 2, 3])
      expect((remote as any).constructor).toBeUndefined()
    })

    it('can be disconnected', async () => {
      const tally = new Tally()
      const remote = await servedHere(tally)
      expect(await remote.add(1)).toBe(1)
      disconnect(tally)
      await expect(remote.add(1)).rejects.toThrow(DisconnectedError)
      await expect(remote.field).rejects.toThrow(DisconnectedError)
    })
  })
}
