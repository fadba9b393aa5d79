import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { objectTable, serve } from '@flatshare/apartment'
import { byReference, currentThread, marshal, unmarshal } from '@flatshare/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

// What is said on a link, by hand: see messages.ts.
const [HELLO, CALL, ANSWER, FAILURE, RELEASE, LINK] = [0, 1, 2, 3, 5, 6]

const ports: MessagePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

/** A thread that lives; the strangers say that they are this one. */
let living: Worker
let livingId: number
beforeAll(async () => {
  const [packet, transferList] = marshal({})
  living = new Worker(new URL('./threads/stranger.js', import.meta.url), { workerData: packet, transferList })
  ;({ id: livingId } = await new Promise<{ id: number }>((resolve) => living.once('message', resolve)))
})
afterAll(() => living.terminate())

let calls = 0

/** The other end of a link to what this thread serves, played by hand. */
async function stranger() {
  const { port1, port2 } = new MessageChannel()
  serve({ give: () => secret, take: (x: unknown) => x === secret }, port1)
  const channel = new MessageChannel()
  port2.on('message', () => {})
  const [packet, transferList] = marshal({ port: channel.port2, own: false, over: 'port' })
  port2.postMessage({ flatshare: 'connect', packet }, [...transferList, channel.port2])
  const { port1: link } = channel
  ports.push(port1, port2, link)
  const waiting: Array<(message: any[]) => void> = []
  const come: any[][] = []
  link.on('message', (message: any[]) => {
    for (const one of Array.isArray(message[0]) ? message : [message]) {
      const next = waiting.shift()
      if (next) next(one)
      else come.push(one)
    }
  })
  const receive = async (): Promise<any[]> => come.shift() ?? new Promise((resolve) => waiting.push(resolve))
  const send = (message: unknown[], list: any[] = []) => link.postMessage(message, list)
  send([HELLO, livingId, 'stranger'])
  expect((await receive())[0]).toBe(HELLO)
  const call = async (object: number, how: string, member: string, args: unknown[] = [], refs?: unknown) => {
    const id = 0x7fff_0000_0000 + ++calls
    send([CALL, object, how, member, [id], args, refs])
    const [kind, answered, value, valueRefs] = await receive()
    expect(answered).toBe(id)
    return { kind, value, refs: valueRefs, id: valueRefs?.[0]?.[2]?.id as number }
  }
  /** Has an object of this thread given as an argument. */
  const give = (id: number, more: object = {}) => {
    const placeholder = {}
    const body = { home: currentThread.id, id, about: [0, 'forged'], ...more }
    return call(0, 'call', 'take', [placeholder], [[placeholder, 'reference', body]])
  }
  return { send, receive, call, give }
}

let secret: object

describe('a peer that forges references', () => {
  it('reaches what it was given, and nothing else', async () => {
    secret = byReference({ next: () => 1 })
    const [friend, foe] = [await stranger(), await stranger()]
    const { id, kind } = await friend.call(0, 'call', 'give')
    expect(kind).toBe(ANSWER)
    expect((await friend.call(id, 'call', 'next')).value).toBe(1)
    expect((await friend.give(id)).value).toBe(true)
    expect((await foe.call(id, 'call', 'next')).kind).toBe(FAILURE)
    expect((await foe.give(id)).kind).toBe(FAILURE)
    for (const forged of [Number.NaN, -5, 1e9, 'x', null, {}]) {
      expect((await foe.give(forged as number)).kind).toBe(FAILURE)
      expect((await foe.call(forged as number, 'call', 'next')).kind).toBe(FAILURE)
    }
    expect((await friend.call(id, 'call', 'next')).value).toBe(1)
  })

  it('can’t let go of what others hold', async () => {
    secret = byReference({ next: () => 1 })
    const [friend, foe] = [await stranger(), await stranger()]
    const { id } = await friend.call(0, 'call', 'give')
    for (const arrivals of [1, 1000, -1000, Number.NaN]) foe.send([RELEASE, id, arrivals])
    for (let i = 0; i < 3; i++) expect((await foe.give(id, { mine: true })).kind).toBe(FAILURE)
    expect((await friend.call(id, 'call', 'next')).value).toBe(1)
    // It can let go of its own, once, however often it says so.
    friend.send([RELEASE, id, 1])
    friend.send([RELEASE, id, 1])
    expect((await friend.call(id, 'call', 'next')).kind).toBe(FAILURE)
    const again = await friend.call(0, 'call', 'give')
    expect(again.id).toBe(id)
    expect((await friend.call(id, 'call', 'next')).value).toBe(1)
  })

  it('can’t hand on what it doesn’t hold', async () => {
    secret = byReference({ next: () => 1 })
    const [friend, foe] = [await stranger(), await stranger()]
    const { id } = await friend.call(0, 'call', 'give')
    const { port1, port2 } = new MessageChannel()
    const closed = new Promise((resolve) => port2.once('close', resolve))
    port2.on('message', () => {})
    foe.send([LINK, id, port1], [port1])
    await closed
  })

  it('is refused a reference of a thread that isn’t its own, and one without its port', async () => {
    secret = {}
    const foe = await stranger()
    for (const home of [998, -1, 'x', undefined]) {
      const answer = await foe.give(1, { home })
      expect(answer.kind).toBe(FAILURE)
    }
    expect((await foe.give(1, { port: 'no port' })).kind).toBe(FAILURE)
    expect((await foe.call(-1, 'call', 'get', [{}])).value).toBeUndefined()
    expect((await foe.call(-1, 'get', 'constructor')).kind).toBe(FAILURE)
  })

  it('is refused one whose class is described by what is no description', async () => {
    secret = {}
    const foe = await stranger()
    const described = (number: number, ...members: unknown[]) =>
      foe.give(1, { home: livingId, about: [number, 'Forged', ['tryLock'], ...members] })
    let number = 900
    for (const list of ['x', [1], {}]) expect((await described(++number, list)).kind).toBe(FAILURE)
    for (const list of ['x', {}, ['tryLock'], [['tryLock']], [['tryLock', 1]]]) {
      expect((await described(++number, [], [], [], list)).kind).toBe(FAILURE)
    }
    expect((await described(++number, [], [], [], [['tryLock', 'lock()']])).kind).toBe(ANSWER)
  })
})

describe('a packet', () => {
  it('that is unmarshaled again is refused, and the reference in it is let go with the first', async () => {
    const object = { next: () => 1 }
    using _registration = objectTable.register('in a packet', object)
    const [packet] = marshal({ object: (await objectTable.get('in a packet')) as object })
    expect(unmarshal<{ object: object }>(packet).object).toBe(object)
    expect(() => unmarshal(packet)).toThrow(/is spent/)
  })
})
