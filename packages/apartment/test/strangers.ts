/** The other ends of links, played by hand: peers that send whatever a test likes. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { connect, serve } from '@flatshare/apartment'
import { byReference, marshal, unmarshal } from '@flatshare/core'
import { afterAll, afterEach, beforeAll } from 'vitest'

// What is said on a link, by hand: see messages.ts.
export const [HELLO, CALL, ANSWER, FAILURE, CANCEL, RELEASE, LINK, CLOSE, LOST] = [0, 1, 2, 3, 4, 5, 6, 7, 8]

export const ports: MessagePort[] = []
/** A thread that lives; the strangers say that they are this one. */
export let livingId: number

/** In a test file: strangers have a thread to be, and are gone after each test. */
export function haveStrangers(): void {
  let living: Worker
  beforeAll(async () => {
    const [packet, transferList] = marshal({})
    living = new Worker(new URL('./threads/stranger.js', import.meta.url), { workerData: packet, transferList })
    ;({ id: livingId } = await new Promise<{ id: number }>((resolve) => living.once('message', resolve)))
  })
  afterEach(() => {
    for (const port of ports.splice(0)) port.close()
  })
  afterAll(() => living.terminate())
}

let lastCall = 0x7fff_0000_0000
export const newId = (): number => ++lastCall

const object = byReference({ method: () => 1, data: 1 })

export interface Stranger {
  send(message: unknown, list?: any[]): void
  /** The answer to that call. */
  answer(id: number): Promise<any[]>
  /** Calls a function that is served: gives kind and value of the answer. */
  call(member: string, args: unknown[]): Promise<any[]>
  /** Has this thread give its object: gives that object's number. */
  given(): Promise<number>
  onCall: (message: any[]) => void
}

function link(port: MessagePort): Stranger {
  ports.push(port)
  const waiting = new Map<number, (message: any[]) => void>()
  const stranger: Stranger = {
    onCall: () => {},
    send: (message, list = []) => port.postMessage(message, list),
    answer: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    async call(member, args) {
      const id = newId()
      stranger.send([CALL, 0, 'call', member, [id], args, undefined])
      const [kind, , value] = await stranger.answer(id)
      return [kind, value]
    },
    async given() {
      const id = newId()
      stranger.send([CALL, 0, 'call', 'give', [id], [], undefined])
      const [, , , [reference]] = await stranger.answer(id)
      return reference[2].id as number
    },
  }
  port.on('message', (message: any[]) => {
    for (const one of Array.isArray(message?.[0]) ? message : [message]) {
      if (one?.[0] === CALL) stranger.onCall(one)
      else if (one?.[0] === ANSWER || one?.[0] === FAILURE) waiting.get(one[1])?.(one)
    }
  })
  stranger.send([HELLO, livingId, 'stranger', [-1, 'served', ['ask'], []]])
  return stranger
}

/** A caller of what this thread serves: `ping`, which gives its argument, `give`, an object, and `hang`. */
export async function caller(): Promise<Stranger> {
  const { port1, port2 } = new MessageChannel()
  ports.push(port1, port2)
  serve({ ping: (x: unknown) => x, give: () => object, hang: () => new Promise(() => {}) }, port1)
  const channel = new MessageChannel()
  const [packet, transferList] = marshal({ port: channel.port2, own: false, over: 'port' })
  port2.postMessage({ flatshare: 'connect', packet }, [...transferList, channel.port2])
  return link(channel.port1)
}

/** A home that this thread is connected to; it serves `ask`. */
export async function home(): Promise<{ stranger: Stranger; api: any }> {
  const { port1, port2 } = new MessageChannel()
  ports.push(port1, port2)
  const stranger = new Promise<Stranger>((resolve) => {
    port2.on('message', (message) => {
      if (message.flatshare === 'ask') port2.postMessage({ flatshare: 'serving' })
      if (message.flatshare === 'connect') resolve(link(unmarshal<{ port: MessagePort }>(message.packet).port))
    })
  })
  const api = await connect<any>(port1, { link: 'port' })
  return { stranger: await stranger, api }
}
