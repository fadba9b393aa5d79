import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { currentThread, marshal } from '@flatshare/core'
import {
  allocate,
  announce,
  clock,
  fallAsleep,
  hasDoorbell,
  holdOpen,
  i32,
  isAwake,
  onBell,
  postsNow,
  settleExits,
  spin,
  stayAwake,
} from '@flatshare/core/internal'
import { afterEach, describe, expect, it } from 'vitest'
import { SlotWord, slotOf } from '../dist/threads.js'

const me = currentThread.id
const bell = slotOf(me) + SlotWord.bell

/** What each ring calls. */
let onRing = () => {}
onBell(() => onRing())
const started: Worker[] = []
afterEach(async () => {
  onRing = () => {}
  await Promise.all(started.splice(0).map((worker) => worker.terminate()))
  // The end of a thread is announced to all.
  await settleExits()
})

function start(module: string, data: object): Worker {
  const [packet, transferList] = marshal({ to: me, ...data })
  const worker = new Worker(new URL(`./threads/${module}.js`, import.meta.url), { workerData: packet, transferList })
  started.push(worker)
  return worker
}

/** Looks until `isOver`, asleep in the event loop between the looks. */
async function lookUntil(isOver: () => boolean): Promise<void> {
  const release = holdOpen()
  await new Promise<void>((resolve) => {
    onRing = () => {
      for (;;) {
        const seen = postsNow()
        if (isOver()) return resolve()
        if (fallAsleep(seen)) return
      }
    }
    onRing()
  })
  release()
}

const nextRing = () => new Promise<void>((resolve) => (onRing = resolve))

describe('a doorbell', () => {
  it('is there where the runtime can wait without blocking', () => {
    expect(hasDoorbell).toBe(true)
  })

  it('is rung once for each sleep, and finds the thread awake then', async () => {
    const rung = nextRing()
    expect(fallAsleep(postsNow())).toBe(true)
    expect(isAwake(me)).toBe(false)
    expect([announce(me), announce(me)]).toEqual([true, false])
    expect(isAwake(me)).toBe(false)
    await rung
    expect(isAwake(me)).toBe(true)
    expect(announce(me)).toBe(false)
  })

  it('lets nobody sleep to whom something was announced since', () => {
    const seen = postsNow()
    announce(me)
    expect(postsNow()).toBe(seen + 1)
    expect(fallAsleep(seen)).toBe(false)
    expect(isAwake(me)).toBe(true)
  })

  it('arms one wait, however often the thread falls asleep and stays awake', async () => {
    const rung = nextRing()
    for (let i = 0; i < 1000; i++) {
      expect(fallAsleep(postsNow())).toBe(true)
      stayAwake()
    }
    expect(Atomics.notify(i32, bell)).toBe(1)
    await rung
    expect(Atomics.notify(i32, bell)).toBe(0)
  })

  it('wakes a sleeper whom several threads ring for, every time', async () => {
    const rounds = 300
    const publishers = [0, 1, 2].map(() => {
      const word = allocate(16)
      const worker = start('ringing', { word, rounds })
      return { word: word >> 2, ended: once(worker, 'exit') }
    })
    await lookUntil(() => {
      for (const { word } of publishers) {
        const published = Atomics.load(i32, word)
        if (Atomics.load(i32, word + 1) === published) continue
        Atomics.store(i32, word + 1, published)
        Atomics.notify(i32, word + 1)
      }
      return publishers.every(({ word }) => Atomics.load(i32, word + 1) === rounds)
    })
    expect(await Promise.all(publishers.map(({ ended }) => ended))).toEqual([[0], [0], [0]])
  })

  it('wakes two threads that sleep in their event loops in turn', async () => {
    const word = allocate(16) >> 2
    const worker = start('rung', { word: word * 4 })
    let id = 0
    await lookUntil(() => {
      id = Atomics.load(i32, word + 2)
      const round = Atomics.load(i32, word)
      if (id === 0 || round === 500) return round === 500
      if (Atomics.load(i32, word + 1) === round) {
        Atomics.store(i32, word, round + 1)
        announce(id)
      }
      return false
    })
    Atomics.store(i32, word, -1)
    announce(id)
    expect(await once(worker, 'exit')).toEqual([0])
  })

  it('is rung by the end of a thread that could not do it any more', async () => {
    const [gate, word] = [allocate(16), allocate(16)]
    start('dies-ringing', { gate, word, bell })
    const over = lookUntil(() => Atomics.load(i32, word >> 2) === 1)
    Atomics.store(i32, gate >> 2, 1)
    Atomics.notify(i32, gate >> 2)
    await over
    expect(isAwake(me)).toBe(true)
  })

  it('does not keep a thread alive, and is heard from its event loop', async () => {
    const program = fileURLToPath(new URL('./threads/idle-program.js', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 25_000 })
    expect(stdout.trim().split('\n')).toEqual(['found 1', 'the worker has ended with 0'])
  })
})

describe('spinning', () => {
  it('ends with an announcement', async () => {
    stayAwake()
    const word = allocate(16)
    const seen = postsNow()
    const worker = start('ringing', { word, rounds: 1 })
    const ended = once(worker, 'exit')
    while (Atomics.load(i32, word >> 2) === 0) expect(spin(seen, clock(), 600_000, () => true)).not.toBe(0)
    expect(postsNow()).not.toBe(seen)
    Atomics.store(i32, (word >> 2) + 1, 1)
    Atomics.notify(i32, (word >> 2) + 1)
    await ended
  })

  it('ends when it is no use any more, and when the time is over', () => {
    let asked = 0
    expect(spin(postsNow(), clock(), 600_000, () => ++asked < 3)).toBe(0)
    expect(asked).toBe(3)
    expect(spin(postsNow(), clock(), 0, () => true)).toBe(0)
  })

  it('does not wait for what was announced before', () => {
    const seen = postsNow()
    announce(me)
    expect(spin(seen, clock(), 0, () => false)).not.toBe(0)
  })
})
