/** What a request takes, and what the objects look like. */
import type { Lock } from '@flatshare/sync'
import { describe, expect } from 'vitest'
import { aborted, type Kit, neverCalled, newName, notSupported } from './kit.js'

export function argumentsContract({ check, hold, locks, request }: Kit): void {
  describe('arguments', () => {
    check('a name and a callback are required; what is missing rejects, and never throws', async () => {
      await expect(request()).rejects.toThrow(TypeError)
      await expect(request(newName())).rejects.toThrow(TypeError)
    })

    check('the callback is a function', async () => {
      for (const callback of [undefined, null, 123, 'abc', [], {}, Promise.resolve(), Symbol('s')]) {
        await expect(request(newName(), callback)).rejects.toThrow(TypeError)
        await expect(request(newName(), {}, callback)).rejects.toThrow(TypeError)
      }
    })

    check('with three arguments, the third is the callback', async () => {
      await expect(request(newName(), neverCalled, undefined)).rejects.toThrow(TypeError)
      await expect(request(newName(), neverCalled, {})).rejects.toThrow(TypeError)
    })

    check('further arguments are ignored', async () => {
      await expect(request(newName(), {}, () => 'run', neverCalled)).resolves.toBe('run')
    })

    check('options that are undefined, null, or a function without members are the defaults', async () => {
      for (const options of [undefined, null, {}, () => {}, Object.create(null)]) {
        await expect(request(newName(), options, (lock: Lock) => lock.mode)).resolves.toBe('exclusive')
      }
    })

    check('options that are no object reject', async () => {
      for (const options of [5, 'shared', true, Symbol('s'), 5n]) {
        await expect(request(newName(), options, neverCalled)).rejects.toThrow(TypeError)
      }
    })

    check('the mode is exclusive or shared', async () => {
      for (const mode of ['foo', null, '', 'Shared', 0, {}, Symbol('s')]) {
        await expect(request(newName(), { mode }, neverCalled)).rejects.toThrow(TypeError)
      }
      const modeOf = (mode: unknown) => request(newName(), { mode }, (lock: Lock) => lock.mode)
      await expect(modeOf('exclusive')).resolves.toBe('exclusive')
      await expect(modeOf('shared')).resolves.toBe('shared')
      await expect(modeOf(undefined)).resolves.toBe('exclusive')
      await expect(modeOf({ toString: () => 'shared' })).resolves.toBe('shared')
    })

    check('ifAvailable and steal are taken for their truth', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const gets = (options: object) => request(name, options, (lock: Lock | null) => lock)
      await expect(gets({ ifAvailable: 'yes' })).resolves.toBeNull()
      await expect(gets({ ifAvailable: 1, steal: 0 })).resolves.toBeNull()
      await expect(gets({ ifAvailable: '', steal: {} })).resolves.toMatchObject({ name })
      await expect(holder.done).rejects.toEqual(aborted)
    })

    check('the signal is an AbortSignal', async () => {
      for (const signal of ['string', 12.34, false, null, {}, Symbol('s'), () => {}, new EventTarget()]) {
        await expect(request(newName(), { signal }, neverCalled)).rejects.toThrow(TypeError)
      }
      await expect(request(newName(), { signal: undefined }, () => 'run')).resolves.toBe('run')
    })

    check('each option is read once, in the order of their names, inherited ones too', async () => {
      const read: string[] = []
      const options = Object.create(
        new Proxy({} as Record<string, unknown>, {
          get(_, member) {
            read.push(String(member))
            return undefined
          },
        }),
      )
      await request(newName(), options, () => {})
      expect(read).toEqual(['ifAvailable', 'mode', 'signal', 'steal'])
    })

    check('what a getter of the options or a toString throws is what the request rejects with', async () => {
      const mine = { mine: true }
      const throwing = () => {
        throw mine as unknown as Error
      }
      await expect(request(newName(), Object.defineProperty({}, 'steal', { get: throwing }), neverCalled)).rejects.toBe(
        mine,
      )
      await expect(request({ toString: throwing }, neverCalled)).rejects.toBe(mine)
      await expect(request(newName(), { mode: { toString: throwing } }, neverCalled)).rejects.toBe(mine)
    })

    check('arguments are converted before they are judged', async () => {
      await expect(request('-', {}, 'no function')).rejects.toThrow(TypeError)
      await expect(request('-', { mode: 'foo' }, neverCalled)).rejects.toThrow(TypeError)
    })

    check('a name may not begin with a hyphen', async () => {
      for (const name of ['-', '-foo']) await expect(request(name, neverCalled)).rejects.toEqual(notSupported)
      for (const name of ['x-y', ' -', '\u2010']) await expect(request(name, () => 'run')).resolves.toBe('run')
    })

    check(
      'steal goes with neither ifAvailable nor shared mode; a signal with neither steal nor ifAvailable',
      async () => {
        const { signal } = new AbortController()
        for (const options of [
          { steal: true, ifAvailable: true },
          { steal: true, mode: 'shared' },
          { signal, steal: true },
          { signal, ifAvailable: true },
        ]) {
          await expect(request(newName(), options, neverCalled)).rejects.toEqual(notSupported)
        }
      },
    )

    check('what is not supported is refused before an aborted signal is looked at', async () => {
      const signal = AbortSignal.abort()
      await expect(request('-', { signal }, neverCalled)).rejects.toEqual(notSupported)
      await expect(request(newName(), { signal, steal: true }, neverCalled)).rejects.toEqual(notSupported)
      await expect(request(newName(), { signal, ifAvailable: true }, neverCalled)).rejects.toEqual(notSupported)
    })
  })

  describe('names', () => {
    check('any string is a name, and arrives as it was given', async () => {
      for (const name of [
        '',
        'abc\0def',
        '\ud800',
        '\udc00',
        '\udc00\ud800',
        '\uffff',
        '😀',
        '__proto__',
        'constructor',
        'x'.repeat(10_000),
      ]) {
        await expect(locks.request(name, (lock) => lock.name)).resolves.toBe(name)
      }
    })

    check('what is no string is converted to one', async () => {
      for (const name of [5, null, undefined, true, { toString: () => 'from an object' }]) {
        await expect(request(name, (lock: Lock) => lock.name)).resolves.toBe(String(name))
      }
      await expect(request(Symbol('s'), neverCalled)).rejects.toThrow(TypeError)
    })

    check('names that differ in anything are different locks', async () => {
      const base = newName()
      const all = ['', '\0', '\0\0', ' ', 'A', 'a', '\ud800', '\ufffd', 'ä', 'a\u0308'].map((end) => base + end)
      const holders = all.map((name) => hold(name))
      for (const [i, holder] of holders.entries()) expect((await holder.granted)!.name).toBe(all[i])
      for (const holder of holders) holder.release()
      await Promise.all(holders.map(({ done }) => done))
    })
  })

  describe('objects', () => {
    check('a Lock tells its name and mode, and can be neither changed nor made', async () => {
      const name = newName()
      const lock = await locks.request(name, { mode: 'shared' }, (lock) => lock)
      expect(lock).toMatchObject({ name, mode: 'shared' })
      expect(() => ((lock as { name: string }).name = 'other')).toThrow(TypeError)
      expect(() => ((lock as { mode: string }).mode = 'exclusive')).toThrow(TypeError)
      expect(String(lock)).toBe('[object Lock]')
      expect(lock.constructor.name).toBe('Lock')
      expect(() => new (lock.constructor as any)()).toThrow(TypeError)
      expect(() => new (lock.constructor as any)('key', name, 'shared')).toThrow(TypeError)
      const prototype = Object.getPrototypeOf(lock)
      expect(Object.keys(prototype).sort()).toEqual(['mode', 'name'])
      expect(() => prototype.name).toThrow(TypeError)
    })

    check('each grant has a Lock of its own', async () => {
      const name = newName()
      const one = await locks.request(name, (lock) => lock)
      const other = await locks.request(name, (lock) => lock)
      expect(one).not.toBe(other)
    })

    check('a LockManager can not be made, and looks as its interface definition says', async () => {
      const LockManager = locks.constructor as any
      expect(LockManager.name).toBe('LockManager')
      expect(() => new LockManager()).toThrow(TypeError)
      expect(String(locks)).toBe('[object LockManager]')
      expect(Object.keys(LockManager.prototype).sort()).toEqual(['query', 'request'])
      expect(locks.request).toHaveLength(2)
      expect(locks.query).toHaveLength(0)
    })

    check('a LockManager serves as `this` only if it is one', async () => {
      const { request, query } = locks
      await expect(Reflect.apply(request, {}, [newName(), neverCalled])).rejects.toThrow(TypeError)
      await expect(Reflect.apply(request, undefined, [newName(), neverCalled])).rejects.toThrow(TypeError)
      await expect(Reflect.apply(query, {}, [])).rejects.toThrow(TypeError)
    })
  })
}
