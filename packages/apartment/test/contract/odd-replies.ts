import { type Apartment, type Remote, release } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OddReplies } from '../threads/odd-replies.js'
import type { Opener } from './opener.js'

type Module = typeof import('../threads/odd-replies.js')

export function oddReplies(open: Opener): void {
  let apartment: Apartment<Module>
  let odd: Remote<OddReplies>

  beforeAll(async () => {
    apartment = await open<Module>(new URL('../threads/odd-replies.js', import.meta.url), { name: 'odd' })
    odd = await apartment.create('OddReplies')
  })
  afterAll(() => apartment.close())

  const end = async (member: keyof OddReplies): Promise<any> => {
    try {
      return { gave: await (odd as any)[member]() }
    } catch (error) {
      return error
    } finally {
      expect(await odd.ping()).toBe('pong')
    }
  }

  describe('S15 a call settles', () => {
    it.each([
      ['getterThrows', { name: 'RangeError', message: 'on purpose' }],
      ['getterThrowsRevoked', { name: expect.stringMatching(/Error$/) }],
      ['revoked', { name: 'TypeError' }],
      ['revokedInside', { name: 'TypeError' }],
      ['revokedFunction', { name: expect.stringMatching(/Error$/) }],
      ['trapsThrow', { name: 'RangeError' }],
      ['everyTrapThrows', { name: 'RangeError' }],
      ['detached', { name: expect.stringMatching(/Error$/) }],
      ['laterGetterThrows', { name: 'RangeError' }],
      ['laterRevokedInside', { name: 'TypeError' }],
      ['deep', { name: expect.stringMatching(/^(RangeError|NotMarshalableError)$/) }],
    ] as const)('with an error where its result can’t be read: %s', async (member, error) => {
      expect(await end(member)).toMatchObject(error)
    })

    it.each([
      ['throwsRevoked', { name: expect.stringMatching(/Error$/) }],
      ['rejectsRevokedInside', { name: expect.stringMatching(/Error$/) }],
      ['throwsGetters', { name: expect.stringMatching(/Error$/) }],
      ['throwsNames', { message: expect.stringMatching(/kept|can't cross/) }],
      ['throwsFrozen', { name: 'RangeError', message: 'frozen' }],
      ['throwsCircle', { message: 'circle' }],
    ] as const)('with an error whatever it throws: %s', async (member, error) => {
      const caught = await end(member)
      expect(caught).toBeInstanceOf(Error)
      expect(caught).toMatchObject(error)
    })

    it('with an error without a class', async () => {
      expect(await end('throwsNoPrototype')).toMatchObject({ message: expect.any(String) })
    })

    it.each([
      ['thenGetterThrows', { name: 'RangeError' }],
      ['thenThrows', { name: 'RangeError' }],
      ['thenTwice', { gave: 'first' }],
      ['thenRevoked', { name: 'TypeError' }],
      ['thenNested', { gave: 'inner' }],
      ['thenFunction', { gave: 'called' }],
      ['promiseOfItself', { name: 'TypeError' }],
      ['promiseWithConstructor', { name: 'RangeError' }],
    ] as const)('as it would without threads, where it gives a thenable: %s', async (member, settled) => {
      expect(await end(member)).toMatchObject(settled)
    })

    it('with an error where a thenable gives itself, for which code of one thread waits for ever', async () => {
      expect(await end('thenItself')).toMatchObject({ name: 'TypeError', message: expect.stringMatching(/itself/) })
      expect(await odd.ping()).toBe('pong')
    })

    it('with what a promise holds, whatever its `then` has become', async () => {
      expect(await end('promiseWithoutThen')).toEqual({ gave: 'awaited' })
    })

    it('by a rejection without a reason', async () => {
      await expect(odd.rejectsWithNothing()).rejects.toBeUndefined()
    })

    it('with its result, however large', async () => {
      expect(await odd.text(1 << 26)).toHaveLength(1 << 26)
      const bytes = await odd.bytes(1 << 26)
      expect([bytes.length, bytes.at(-1)]).toEqual([1 << 26, 7])
      expect(await odd.list(300_000)).toHaveLength(300_000)
      expect(await odd.ping()).toBe('pong')
    })

    it('that was awaited while its proxy was released', async () => {
      const fresh = await apartment.create('OddReplies')
      const pending = Promise.all([fresh.ping(), fresh.text(10)])
      release(fresh)
      expect(await pending).toEqual(['pong', 'xxxxxxxxxx'])
      await expect(fresh.ping()).rejects.toThrow(/was released/)
    })
  })

  describe('a stack of both threads', () => {
    it('says where it was thrown and where it was called, in this order, each with its thread', async () => {
      const error: Error = await odd.throwsFrozen().catch((error: unknown) => error as Error)
      expect(error.stack).toMatch(
        /^RangeError: frozen\n[\s\S]*throwsFrozen[\s\S]*--- on the thread "odd" ---\n\s+--- called from the thread "main" ---\n\s+at [\s\S]*contract\/odd-replies/,
      )
    })

    it('also where the call never left, without the inside of this package', async () => {
      const error: any = await (odd as any).text(Symbol('s')).catch((error: unknown) => error)
      expect(error.stack).toMatch(/^NotMarshalableError: OddReplies\.text\(\).*\n\s+at .*contract\/odd-replies/)
      expect(error.stack).not.toMatch(/apartment\/dist\//)
    })
  })
}
