import { type Apartment, blocking, type Remote, transfer } from '@flatshare/apartment'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Counter, Talkative, talk } from '../threads/loaded.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)

export function encoding(open: Opener): void {
  let apartment: Apartment<Loaded>
  let counter: Remote<Counter>

  beforeAll(async () => {
    apartment = await open<Loaded>(loaded)
    counter = await apartment.create('Counter')
  })
  afterAll(() => apartment.close())
  afterEach(async () => {
    talk.encoding = talk.decoding = undefined
    await apartment.remote.blockWhile('encoding')
    await apartment.remote.blockWhile('decoding')
  })

  /** What may be done by the link while a value is on its way into it, or out of it. */
  const deeds: Array<[what: string, act: (answers: Array<Promise<unknown>>) => void]> = [
    ['calls', (answers) => answers.push(counter.echo('inner'))],
    ['calls many times', (answers) => answers.push(...Array.from({ length: 5000 }, () => counter.echo('inner')))],
    [
      'calls with much',
      (answers) => answers.push(counter.echo(['inner', new Uint8Array(2 ** 20)]).then((back: any) => back[0])),
    ],
    [
      'moves something',
      (answers) => answers.push(counter.echo({ x: transfer(new Uint8Array(99)) }).then(() => 'inner')),
    ],
    ['calls with a function', (answers) => answers.push(counter.callBack(() => 'inner'))],
    ['blocks on a call', (answers) => answers.push(Promise.resolve(blocking(counter).echo('inner')))],
    [
      'blocks on a call that comes back',
      (answers) => answers.push(Promise.resolve(blocking(counter).blockOn(() => 'inner'))),
    ],
  ]

  const expectInner = async (answers: Array<Promise<unknown>>) => {
    expect(answers.length).toBeGreaterThan(0)
    for (const answer of await Promise.all(answers)) expect(answer).toBe('inner')
  }

  describe.each([10, 5000, 100_000])('a value with a text of %i', (size) => {
    const text = 'y'.repeat(size)

    it.each(deeds)('whose getter %s arrives whole', async (_, act) => {
      const answers: Array<Promise<unknown>> = []
      const value = {
        before: [1, text],
        get inside() {
          act(answers)
          return { in: text }
        },
        [`after ${_} ${size}`]: 2.5,
      }
      expect(await counter.echo(value)).toEqual({
        before: [1, text],
        inside: { in: text },
        [`after ${_} ${size}`]: 2.5,
      })
      await expectInner(answers)
    })

    it.each(deeds)('whose codec %s while it encodes arrives whole', async (_, act) => {
      const answers: Array<Promise<unknown>> = []
      talk.encoding = () => act(answers)
      // The others' calls carry none.
      expect(await counter.echo([1, new Talkative(text), text])).toEqual([1, new Talkative(text), text])
      await expectInner(answers)
    })

    it.each(deeds)('whose codec %s while it decodes arrives whole', async (_, act) => {
      const answers: Array<Promise<unknown>> = []
      talk.decoding = () => act(answers)
      expect(await counter.echo([1, new Talkative(text), text])).toEqual([1, new Talkative(text), text])
      await expectInner(answers)
    })
  })

  it('a codec that blocks on its caller while it encodes and decodes there is served', async () => {
    let served = 0
    const serve = () => ++served
    await apartment.remote.blockWhile('encoding', serve)
    await apartment.remote.blockWhile('decoding', serve)
    const calls = Array.from({ length: 20 }, (_, i) => counter.echo([i, new Talkative(i)]))
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, i) => [i, new Talkative(i)]))
    expect(served).toBe(40)
  })

  it('a codec that blocks on its caller while it decodes is served, while all else waits for room', async () => {
    let served = 0
    await apartment.remote.blockWhile('decoding', () => ++served)
    const calls: Array<Promise<unknown>> = []
    const filler = 'x'.repeat(4000)
    for (let i = 0; i < 100; i++) calls.push(counter.echo([new Talkative(i)]), counter.echo(filler))
    const expected = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? [new Talkative(i / 2)] : filler))
    expect(await Promise.all(calls)).toEqual(expected)
    expect(served).toBe(100)
  })

  it.each([40, 300])('S16 many calls at the end of a chain of %i are answered', async (length) => {
    const numbers = Array.from({ length: 200 }, (_, i) => i)
    const down = async (left: number): Promise<unknown> => {
      if (left === 0) return Promise.all(numbers.map((i) => counter.echo(i)))
      return (await counter.callBack((() => down(left - 1)) as () => unknown)) as unknown
    }
    expect(await down(length)).toEqual(numbers)
  })

  it('a getter that throws after it has called: that call is answered, and the one of the value rejects', async () => {
    for (const [, act] of deeds) {
      const answers: Array<Promise<unknown>> = []
      const value = {
        [`thrown ${act}`]: 'x'.repeat(100),
        get inside() {
          act(answers)
          throw new RangeError('no more')
        },
      }
      await expect(counter.echo(value)).rejects.toThrow(/no more/)
      await expectInner(answers)
      expect(await counter.echo({ [`thrown ${act}`]: 1 })).toEqual({ [`thrown ${act}`]: 1 })
    }
  })

  it('a codec that throws: here while it decodes, the call rejects and the next ones are answered', async () => {
    talk.decoding = () => {
      throw new RangeError('not decoded')
    }
    const [refused, next] = await Promise.allSettled([counter.echo([new Talkative(1)]), counter.echo('next')])
    expect(refused).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/not decoded/) } })
    expect(next).toEqual({ status: 'fulfilled', value: 'next' })
  })
}
