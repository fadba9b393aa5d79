import { type Apartment, callWith, type Remote } from '@flatshare/apartment'
import { NotMarshalableError, WrongThreadError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { gate, type Store } from '../apartments.js'
import { type Account, nest, type Odd, type WaitingObject } from '../threads/store.js'
import { type Opener, storeOpener } from './opener.js'

export function settling(open: Opener): void {
  const openStore = storeOpener(open)
  let apartment: Apartment<Store>
  let waiting: Remote<WaitingObject>
  let odd: Remote<Odd>
  let account: Remote<Account>

  beforeAll(async () => {
    apartment = await openStore({ name: 'bank' })
    ;[waiting, odd, account] = await Promise.all([
      apartment.create('WaitingObject'),
      apartment.create('Odd'),
      apartment.create('Account', 0),
    ])
  })
  afterAll(() => apartment.close())

  describe('S14 giving a call up', () => {
    it('by a signal frees the caller at once, and the callee sees it', async () => {
      const controller = new AbortController()
      const begun = gate()
      const pending = callWith(waiting, { signal: controller.signal }).until(begun.open)
      await begun.opened
      controller.abort()
      await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
      expect(await waiting.reasonSeen()).toBe('AbortError')
    })

    it('by a deadline rejects with TimeoutError, and the callee sees it', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const begun = gate()
        const pending = callWith(waiting, { timeout: 1_000 }).until(begun.open)
        await begun.opened
        vi.advanceTimersByTime(1_000)
        await expect(pending).rejects.toMatchObject({ name: 'TimeoutError' })
      } finally {
        vi.useRealTimers()
      }
      expect(await waiting.reasonSeen()).toBe('TimeoutError')
    })

    it('before it was made sends nothing', async () => {
      const reason = new Error('too late')
      await expect(callWith(account, { signal: AbortSignal.abort(reason) }).deposit(1)).rejects.toBe(reason)
      expect(await account.balance).toBe(0)
    })

    it('while it waits its turn: it never runs', async () => {
      const relay = await apartment.create('Relay')
      const { open, opened } = gate()
      const first = relay.callBack(() => opened)
      const controller = new AbortController()
      const second = callWith(relay, { signal: controller.signal }).note('never')
      controller.abort()
      await expect(second).rejects.toMatchObject({ name: 'AbortError' })
      open()
      await first
      expect(await relay.note('after')).toEqual(['begin', 'end', 'after'])
    })

    it('a deadline passes on to nested calls', async () => {
      const other = await apartment.create('WaitingObject')
      const before = Date.now()
      const view = callWith(waiting, { timeout: 60_000 })
      const deadline = (await view.nested(async () => other.deadline())) as number
      expect(deadline).toBeGreaterThan(before + 50_000)
      expect(deadline).toBeLessThan(Date.now() + 60_001)
      expect(await other.deadline()).toBeUndefined()
    })

    it('an AbortSignal as an argument is live, and the same each time', async () => {
      const controller = new AbortController()
      const begun = gate()
      const seen = waiting.watch(controller.signal, begun.open)
      await begun.opened
      controller.abort(new RangeError('enough'))
      expect(await seen).toBeInstanceOf(RangeError)
      const { signal } = new AbortController()
      expect(await waiting.sameSignal(signal, signal)).toBe(true)
      expect(await waiting.watch(AbortSignal.abort('gone'), () => {})).toBe('gone')
    })
  })

  describe('S15 a call settles, whatever it gives', () => {
    it.each(['symbol', 'weak', 'asyncWeak', 'klass'] as const)('%s: NotMarshalableError', async (what) => {
      await expect(odd[what]()).rejects.toBeInstanceOf(NotMarshalableError)
    })

    it('what it throws included', async () => {
      await expect(odd.throwsWeak()).rejects.toBeInstanceOf(NotMarshalableError)
    })

    it('S1 a single-threaded object inside: WrongThreadError', async () => {
      await expect(odd.window()).rejects.toThrow(WrongThreadError)
    })

    it('and the object still serves', async () => {
      expect(await odd.plain()).toEqual({ value: 1 })
    })
  })

  describe('a message that cannot be read where it arrives', () => {
    // A worker's stack is several times that of the main thread: it writes what the other can't read.
    const depths = [200, 400, 800, 1_600, 3_200, 6_400, 12_800]
    const small = { resourceLimits: { stackSizeMb: 0.3 } }

    const settledBy = async (calls: Promise<unknown>[]) =>
      (await Promise.allSettled(calls)).map((call) => (call.status === 'fulfilled' ? 'fine' : String(call.reason.name)))
    const known = new Set(['fine', 'NotMarshalableError', 'RangeError', 'Error'])

    it('settles the call when it is the answer', async () => {
      const ends = await settledBy(
        depths.flatMap((depth) => [odd.nested(depth), odd.throwsNested(depth), odd.depthOf({})]),
      )
      for (const end of ends) expect(known).toContain(end)
      for (let i = 2; i < ends.length; i += 3) expect(ends[i], 'a call beside it').toBe('fine')
      expect(await odd.plain()).toEqual({ value: 1 })
    })

    it('settles the call when it is the call', async () => {
      await using narrow = await openStore(small)
      const there = await narrow.create('Odd')
      const ends = await settledBy(depths.flatMap((depth) => [there.depthOf(nest(depth)), there.plain()]))
      for (const end of ends) expect(known).toContain(end)
      expect(ends).toContain('NotMarshalableError')
      for (let i = 1; i < ends.length; i += 2) expect(ends[i], 'a call beside it').toBe('fine')
    })
  })

  describe('settings of a call that are none', () => {
    it('are refused when they are given', () => {
      for (const timeout of ['5', Number.NaN, -1, null, {}] as unknown as number[]) {
        expect(() => callWith(account, { timeout }), String(timeout)).toThrow(RangeError)
      }
      expect(() => callWith(account, { signal: {} as AbortSignal })).toThrow(TypeError)
      expect(() => callWith(account, { timeuot: 5 } as never)).toThrow(/no setting "timeuot"/)
      expect(() => callWith(account, undefined as never)).toThrow(TypeError)
    })
  })

  describe('an argument that cannot cross', () => {
    it('rejects, naming class and method, and nothing is sent or held', async () => {
      const listener = () => {}
      const hopeless = { listener, bad: new WeakMap() }
      await expect(account.echo(hopeless)).rejects.toThrow(NotMarshalableError)
      await expect(account.echo(hopeless)).rejects.toThrow(/Account\.echo\(\): an argument can't cross/)
      await expect(account.echo(Symbol('s'))).rejects.toThrow(/Account\.echo\(\)/)
      await expect(account.echo(class Local {})).rejects.toThrow(/class Local can't cross/)
      await expect(account.echo(Promise.resolve())).rejects.toThrow(NotMarshalableError)
      expect(await account.echo(listener)).toBe(listener)
    })
  })
}
