import { parentPort } from 'node:worker_threads'
import { marshal, unmarshal } from '@flatshare/core'
import { locked } from '@flatshare/free-threaded'
import type { Mutex, Signal } from '@flatshare/sync'
import { type Arrays, type Holder, Node, SpecialNode, type Values } from '../value-classes.js'

const plain = (value: any): unknown => (typeof value?.toArray === 'function' ? value.toArray() : value)

const jobs = {
  read: (object: any, key: string) => plain(object[key]),
  readInside: (object: any, key: string) => locked(object, () => plain(object[key])),
  write(object: any, [key, value]: [string, unknown]) {
    object[key] = value
  },
  /** Writes one of two values, and looks whether it ever sees a third. */
  alternate(values: Values, [a, b, times]: [string, string, number]) {
    let odd = 0
    for (let i = 0; i < times; i++) {
      values.text = i & 1 ? a : b
      const seen = values.text
      if (seen !== a && seen !== b) odd++
    }
    return odd
  },
  jsonIsKept(values: Values) {
    const { json } = values
    return [json === values.json, Object.isFrozen(json)]
  },
  move(arrays: Arrays, times: number) {
    let odd = 0
    for (let i = 0; i < times; i++) {
      arrays.move(i % 24, (i * 7) % 24)
      if (arrays.counts.toArray().reduce((sum, n) => sum + n, 0) !== 24_000) odd++
    }
    return odd
  },
  bump: (arrays: Arrays, times: number) => arrays.bump(times),
  names: (holder: Holder) => holder.list(),
  classes(holder: Holder) {
    const { node } = holder
    return [node instanceof Node, node instanceof SpecialNode, node === holder.node, holder.self === holder]
  },
  push(holder: Holder, names: string[]) {
    for (const name of names) holder.push(name)
  },
  pop(holder: Holder, times: number) {
    for (let i = 0; i < times; i++) locked(holder, () => (holder.node = holder.node?.next ?? null))
  },
  lockHeld(holder: Holder) {
    const mutex: Mutex = holder.mutex!
    return [mutex === holder.mutex, mutex.name, mutex.tryLock() !== undefined]
  },
  set(holder: Holder) {
    const signal: Signal = holder.signal!
    signal.set()
  },
  /** Says that it is inside, then waits there until `gate` is opened. */
  hold(values: Values, gate: Int32Array) {
    locked(values, () => {
      parentPort!.postMessage({ result: 'inside' })
      Atomics.wait(gate, 0, 0)
    })
  },
  hand(holder: Holder) {
    const [packet, transferList] = marshal(holder.node!)
    parentPort!.postMessage({ result: packet }, transferList)
    return undefined
  },
} satisfies Record<string, (object: any, argument: any) => unknown>

interface Order {
  readonly job: keyof typeof jobs
  readonly packet: unknown
  readonly argument: unknown
}

parentPort!.on('message', ({ job, packet, argument }: Order) => {
  try {
    const result = jobs[job](unmarshal<any>(packet), argument as never)
    if (job !== 'hand') parentPort!.postMessage({ result })
  } catch (error) {
    parentPort!.postMessage({ error })
  }
})
