import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type Apartment, blocking, callWith, type Remote, release, set } from '@flatshare/apartment'
import { byReference, DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Members } from '../threads/reach.js'
import type { Opener } from './opener.js'

type Reach = typeof import('../threads/reach.js')

export function proxies(opener: Opener): void {
  const open = (name: string) => opener<Reach>(new URL('../threads/reach.js', import.meta.url), { name })

  let apartment: Apartment<Reach>
  let members: Remote<Members>
  let loose: any
  /** How often members that nobody should call were called there. */
  let touched: number

  beforeAll(async () => {
    apartment = await open('bank')
    members = await apartment.create('Members')
    loose = members
    touched = await apartment.remote.touch()
  })
  afterAll(() => apartment.close())

  const untouched = async () => expect(await apartment.remote.touch()).toBe(touched)

  describe('a proxy has', () => {
    it.each([
      'field',
      'hidden',
      'hiddenInParent',
      'toJSON',
      'make',
      'created',
      '#title',
      'constructor',
      '__proto__',
      'hasOwnProperty',
      'then',
      '[Symbol.asyncDispose]',
      Symbol.iterator,
      Symbol.asyncDispose,
      Symbol.hasInstance,
    ])('no %s of the class', (member) => {
      const found = loose[member]
      if (member === 'toJSON') expect(found.call(members)).toBe(String(members))
      else expect(found).toBeUndefined()
    })

    it('what the parent shows, and refuses the rest also where it is asked for by hand', async () => {
      expect(await members.shown).toBe('parent')
      expect(await members.interleavedInParent()).toBe('at once')
      for (const name of ['hidden', 'field', 'hiddenInParent', 'constructor', '__proto__']) {
        await expect(set(loose, name, 'x')).rejects.toThrow(
          `Members has no setter "${name}" that other threads can reach.`,
        )
      }
      expect(await members.title).toBe('')
    })

    it('getters and methods whose calls do not queue', async () => {
      const fresh = await apartment.create('Members')
      await set(fresh, 'title', 'seen')
      const busy = fresh.busy()
      expect(await fresh.busyTitle).toBe('seen')
      await fresh.open()
      expect(await busy).toBe('done')
    })
  })

  describe('a proxy in the hands of code that only looks', () => {
    it('makes no call, and says what it is', async () => {
      const text = 'Remote<Members> { home: "bank", connected }'
      expect(inspect(members)).toBe(text)
      expect(inspect({ deep: { members } })).toContain(text)
      expect(String(members)).toBe(text)
      expect(`${loose}`).toBe(text)
      expect(JSON.stringify({ members })).toBe(JSON.stringify({ members: text }))
      expect(members.valueOf()).toBe(members)
      expect(Object.prototype.toString.call(members)).toBe('[object Remote<Members>]')
      await untouched()
    })

    it('has no keys, but its members', async () => {
      expect(Object.keys(members)).toEqual([])
      expect(JSON.stringify({ ...members })).toBe('{}')
      for (const key in members) expect.unreachable(key)
      expect('title' in members && 'number' in members).toBe(true)
      expect('field' in members || 'hidden' in members || 'constructor' in members).toBe(false)
      expect(Object.isExtensible(members)).toBe(false)
      expect(members instanceof Object).toBe(false)
      await untouched()
    })

    it('is equal only to what stands for the same object', async () => {
      const other = await apartment.create('Members')
      assert.deepEqual({ members }, { members })
      assert.notDeepEqual({ members }, { members: other })
      expect({ members }).toEqual({ members: callWith(members, { timeout: 9000 }) })
      expect({ members }).not.toEqual({ members: other })
    })

    it('can be walked up without a call or a failure', async () => {
      for (let at: object | null = members; at; at = Object.getPrototypeOf(at) as object | null) {
        for (const key of Reflect.ownKeys(at)) {
          const found: unknown = Reflect.get(Object.getPrototypeOf(members) as object, key)
          if (found instanceof Promise) await expect(found).rejects.toThrow(TypeError)
        }
      }
      await untouched()
    })

    it('can not be copied by a raw postMessage or structuredClone', () => {
      const { port1 } = new MessageChannel()
      expect(() => structuredClone({ deep: [members] })).toThrow(/Remote<Members>/)
      expect(() => port1.postMessage(members)).toThrow(DOMException)
      expect(() => structuredClone(callWith(members, {}))).toThrow(DOMException)
      expect(() => structuredClone(apartment.remote)).toThrow(DOMException)
      port1.close()
    })

    it('takes no change', () => {
      for (const change of [
        () => Object.setPrototypeOf(members, {}),
        () => Object.defineProperty(members, 'x', { value: 1 }),
        () => Object.assign(members, { x: 1 }),
        () => {
          Object.getPrototypeOf(members).x = 1
        },
        () => Object.defineProperty(Object.getPrototypeOf(Object.getPrototypeOf(members)), 'x', { value: 1 }),
      ]) {
        expect(change).toThrow(TypeError)
      }
      expect(loose.x).toBeUndefined()
    })
  })

  describe('console.log says', () => {
    it('how a view calls', () => {
      const view = callWith(members, { timeout: 500, signal: new AbortController().signal })
      expect(inspect(view)).toBe('Remote<Members> { home: "bank", connected, signal: AbortSignal, timeout: 500 }')
      expect(inspect(blocking(members))).toBe('Blocking<Members> { home: "bank", connected }')
    })

    it('that a proxy was released', async () => {
      const mine = await apartment.create('Members')
      release(mine)
      expect(inspect(mine)).toBe('Remote<Members> { home: "bank", released }')
      await expect(mine.number()).rejects.toThrow(DisconnectedError)
    })

    it('that its thread has ended', async () => {
      const short = await open('short')
      const mine = await short.create('Members')
      const settings = await short.remote.settings
      await short.terminate()
      expect(inspect(mine)).toBe('Remote<Members> { home: "short", disconnected }')
      expect(inspect(settings)).toBe('Remote<Object> { home: "short", disconnected }')
      await expect(mine.title).rejects.toThrow(DisconnectedError)
    })

    it('of which function it is one', async () => {
      const fn = byReference(async function resize(x: number) {
        return x
      })
      await apartment.remote.keep(fn)
      expect(await apartment.remote.shownKept()).toMatch(/^RemoteFunction<resize> { home: ".*", connected }$/)
    })
  })

  describe('set', () => {
    it('calls the setter at home, in its turn, with its errors', async () => {
      const setting = set(members, 'title', 'first')
      expect(setting).toBeInstanceOf(Promise)
      expect(await members.title).toBe('first')
      expect(await setting).toBeUndefined()
      await expect(set(members, 'title', '')).rejects.toThrow(new RangeError('A title is not empty'))
      await set(members, 'onlySet', () => {})
      expect(await members.title).toContain('RemoteFunction')
      await set(callWith(members, { timeout: 9000 }), 'title', 'by a view')
      expect(await members.title).toBe('by a view')
      await set(blocking(members), 'title', 'blocking')
      expect(await members.title).toBe('blocking')
    })

    it('is what an assignment that throws tells of', () => {
      expect(() => {
        loose.title = 'x'
      }).toThrow(
        "Can't set title: nothing can be assigned through a proxy. To call its setter: await set(proxy, 'title', value).",
      )
      expect(() => {
        loose.number = 1
      }).toThrow('Call a method that sets it.')
    })

    it('reaches accessors of plain objects, not their data', async () => {
      const settings = await apartment.remote.settings
      await set(settings, 'size', 12)
      expect(await settings.size).toBe(12)
      await expect(set(settings, 'theme', 'light')).rejects.toThrow(/no setter "theme"/)
      expect(await settings.theme).toBe('dark')
      await set(settings, 'size', touched)
    })

    it('takes a proxy and a name', () => {
      expect(() => set({} as never, 'x' as never, 1 as never)).toThrow(TypeError)
      expect(() => set(loose, 1 as never, 1 as never)).toThrow(TypeError)
    })
  })

  describe('what a call gives', () => {
    const collected = async (items: AsyncIterable<unknown>) => {
      const all: unknown[] = []
      for await (const item of items) all.push(item)
      return all
    }

    it('is a promise', async () => {
      const pending = members.number()
      expect(pending).toBeInstanceOf(Promise)
      expect(pending.constructor).toBe(Promise)
      // Where a thread tracks calls across await, Node shows what it notes for that, too.
      expect(inspect(pending)).toMatch(/^Promise \{\s+<pending>/)
      expect(pending.then()).not.toHaveProperty('next')
      expect(await pending).toBe(7)
    })

    it('is iterated with and without await, whatever gives it', async () => {
      expect(await collected(members.counting(3))).toEqual([1, 2, 3])
      // eslint-disable-next-line @typescript-eslint/await-thenable -- that is the test
      expect(await collected(await members.counting(3))).toEqual([1, 2, 3])
      expect(await collected(members.sizes())).toEqual([3, 4])
      expect(await collected(members.delegated())).toEqual([1, 2])
      expect(await collected(members.list())).toEqual(['x', 'y'])
      expect(await collected(members)).toEqual(['one', 'two'])
    })

    it('takes steps by hand, in order, and an early end', async () => {
      const counting = members.counting(3)
      expect(await Promise.all([counting.next(), counting.next()])).toEqual([
        { done: false, value: 1 },
        { done: false, value: 2 },
      ])
      expect(await counting.return(undefined)).toEqual({ done: true, value: undefined })
      expect(await counting.next()).toEqual({ done: true, value: undefined })
      await using disposed = members.counting(3)
      expect(await disposed.next()).toEqual({ done: false, value: 1 })
    })

    it('tells who iterates of a failure, and nobody else', async () => {
      await expect(collected(members.failing())).rejects.toThrow(new RangeError('in the middle'))
      const rejections: unknown[] = []
      const listener = (reason: unknown) => rejections.push(reason)
      process.on('unhandledRejection', listener)
      const refused = loose.refusing(Symbol('s'))
      await new Promise((resolve) => setImmediate(resolve))
      process.off('unhandledRejection', listener)
      expect(rejections).toEqual([])
      await expect(refused.next()).rejects.toThrow(/a symbol/)
      await expect(loose.number().next()).rejects.toThrow('The result of this call is not iterable: await it instead.')
    })
  })

  describe('what is served', () => {
    it('is read where it stands, when it is asked for', async () => {
      expect(await apartment.remote.touched).toBe(touched)
      await apartment.remote.live()
      expect(await apartment.remote.touched).toBe(40)
    })
  })

  it('await using ends the object where the class says how', async () => {
    const closable = await apartment.create('Closable')
    {
      await using mine = closable
      expect(await mine.isClosed()).toBe(0)
    }
    expect(await closable.isClosed()).toBe(1)
  })
}
