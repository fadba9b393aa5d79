import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import {
  currentThread,
  FlatshareError,
  isPacket,
  marshal,
  NotMarshalableError,
  unmarshal,
  WrongThreadError,
} from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let receiver: Worker
let receiverId: number

beforeAll(async () => {
  receiver = new Worker(new URL('./threads/receiver.js', import.meta.url))
  receiverId = (await ask(...marshal('hello'))).id
})
afterAll(() => receiver.terminate())

/** `[1, <empty>, 3]`. */
const withHole = () => Object.assign(new Array<number>(3), { 0: 1, 2: 3 })

async function ask(packet: unknown, transferList: any[] = [], options: object = {}): Promise<any> {
  receiver.postMessage({ packet, ...options }, transferList)
  return (await once(receiver, 'message'))[0]
}

describe('S7 marshal and unmarshal by hand', () => {
  it('carries a value to a thread that somebody else started', async () => {
    const value = { text: 'a', list: withHole(), map: new Map([['k', new Date(0)]]), big: 10n, minusZero: -0 }
    const answer = await ask(...marshal(value))
    expect(answer.value).toEqual(value)
    expect(Object.is(answer.value.minusZero, -0)).toBe(true)
    expect(1 in answer.value.list).toBe(false)
    expect(answer.id).not.toBe(currentThread.id)
  })

  it('carries a value there and back', async () => {
    const error = Object.assign(new RangeError('too far', { cause: new TypeError('why') }), { limit: 5 })
    const { packet } = await ask(...marshal({ error, again: error }), { echo: true })
    const back = unmarshal<{ error: RangeError & { limit: number }; again: Error }>(packet)
    expect(back.error).toBeInstanceOf(RangeError)
    expect(back.error.cause).toBeInstanceOf(TypeError)
    expect(back.error.limit).toBe(5)
    expect(back.again).toBe(back.error)
  })

  it('works on the thread that marshaled', () => {
    const [packet] = marshal([1, 2])
    expect(isPacket(packet)).toBe(true)
    expect(unmarshal(packet)).toEqual([1, 2])
  })
})

describe('S9 a packet unmarshals at most once', () => {
  it('and a second time throws, naming both threads and the place where it was marshaled', () => {
    const [packet] = marshal('once')
    unmarshal(packet)
    expect(() => unmarshal(packet)).toThrow(WrongThreadError)
    expect(() => unmarshal(packet)).toThrow(/from the thread "main".*packet\.test.*on the thread "main".*spent/)
  })

  it('also when it was copied and the copy was used first, elsewhere', async () => {
    const [packet, transferList] = marshal('copied')
    expect((await ask(packet, transferList)).value).toBe('copied')
    expect(() => unmarshal(packet)).toThrow(WrongThreadError)
  })

  it('unless it is a table packet', async () => {
    const [packet, transferList] = marshal('many', { table: true })
    expect(transferList).toEqual([])
    for (let i = 0; i < 3; i++) expect((await ask(packet)).value).toBe('many')
    expect(unmarshal(packet)).toBe('many')
  })

  it('and disposing gives it up', () => {
    const [packet] = marshal('given up')
    packet[Symbol.dispose]()
    packet[Symbol.dispose]()
    expect(() => unmarshal(packet)).toThrow(WrongThreadError)
  })

  it('while many packets reuse the same cells', () => {
    const spent = Array.from({ length: 200 }, (_, i) => {
      const [packet] = marshal(i)
      expect(unmarshal(packet)).toBe(i)
      return packet
    })
    const fresh = Array.from({ length: 200 }, (_, i) => marshal(i)[0])
    for (const packet of spent) expect(() => unmarshal(packet)).toThrow(WrongThreadError)
    for (const [i, packet] of fresh.entries()) expect(unmarshal(packet)).toBe(i)
  })
})

describe('S19 a packet in the wrong place', () => {
  it('addressed to another thread throws, naming both threads', () => {
    const [packet] = marshal('for you', { to: receiverId })
    expect(() => unmarshal(packet)).toThrow(new RegExp(`is addressed to the thread "worker ${receiverId}"`))
  })

  it('arrives where it is addressed to', async () => {
    expect((await ask(...marshal('for you', { to: receiverId }))).value).toBe('for you')
  })

  it('is refused when it is no packet', () => {
    const forged = { flatshare: 1, arena: new SharedArrayBuffer(8) }
    for (const value of [undefined, null, 1, {}, { flatshare: 2 }, { flatshare: 1 }, forged])
      expect(() => unmarshal(value)).toThrow(FlatshareError)
  })
})

describe('what cannot cross', () => {
  it('is refused by marshal and not by the postMessage after it, also where no reference is near', () => {
    for (const value of [Promise.resolve(), new WeakMap(), new WeakSet(), new WeakRef({}), Symbol('s')]) {
      expect(() => marshal({ list: [value] })).toThrow(NotMarshalableError)
      expect(() => marshal({ list: [value] })).toThrow(/at list\.0/)
    }
    expect(() => marshal(1, { to: 'main' as never })).toThrow(TypeError)
  })

  it('is refused with the place inside the value', () => {
    expect(() => marshal({ a: [{ b: () => 1 }] })).toThrow(NotMarshalableError)
    expect(() => marshal({ a: [{ b: () => 1 }] })).toThrow(/the function b at a\.0\.b/)
    expect(() => marshal(Symbol('s'))).toThrow(/a symbol/)
    expect(() => marshal([new Error('reason'), { s: Symbol('s') }])).toThrow(/a symbol at 1\.s/)
  })
})

describe('a thread that inherited no shared memory', () => {
  const stranger = async (joinFirst: boolean) => {
    const worker = new Worker(new URL('./threads/stranger.js', import.meta.url))
    const [packet, transferList] = marshal('adopt me')
    worker.postMessage({ packet, joinFirst }, transferList)
    const [answer] = await once(worker, 'message')
    await worker.terminate()
    return answer
  }

  it('adopts that of its first packet', async () => {
    expect(await stranger(false)).toEqual({ value: 'adopt me' })
  })

  it('says so clearly when it has used its own already', async () => {
    expect((await stranger(true)).error).toMatch(/FlatshareError: This thread already has shared objects of its own/)
  })
})
