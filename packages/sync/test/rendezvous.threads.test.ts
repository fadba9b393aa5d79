import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Barrier, Latch, Signal } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { newCells, openGate } from './threads/start.js'
import { Party } from './threads/start-rendezvous.js'

describe('Signal between threads', () => {
  const pair = () => [new Signal({ reset: 'automatic' }), new Signal({ reset: 'automatic' })] as const

  for (const task of ['pong', 'pongAwaiting'] as const) {
    test(`two threads answer each other 10,000 times, one awaiting, the other by ${task}`, async () => {
      const cells = newCells()
      const rounds = 10_000
      const [signal, answer] = pair()
      const partner = new Party({ task, signal, answer, rounds, cells })
      for (let i = 0; i < rounds; i++) {
        signal.set()
        await answer.wait()
        if (cells[1] !== i + 1) throw new Error(`${cells[1]} answers in round ${i}.`)
      }
      await partner.done
      expect([cells[1], signal.isSet, answer.isSet]).toEqual([rounds, false, false])
    })

    test(`two threads answer each other 10,000 times, one blocking, the other by ${task}`, async () => {
      const cells = newCells()
      const rounds = 10_000
      const [signal, answer] = pair()
      const partner = new Party({ task, signal, answer, rounds, cells })
      await partner.id
      for (let i = 0; i < rounds; i++) {
        signal.set()
        answer.waitSync()
        if (cells[1] !== i + 1) throw new Error(`${cells[1]} answers in round ${i}.`)
      }
      await partner.done
      expect([cells[1], signal.isSet, answer.isSet]).toEqual([rounds, false, false])
    })
  }

  test('an automatic signal as a lock: four threads, blocking and not, lose no increment', async () => {
    const cells = newCells()
    const rounds = 5000
    const signal = new Signal({ reset: 'automatic', set: true })
    const tasks = ['count', 'countAwaiting', 'count', 'countAwaiting'] as const
    const parties = tasks.map((task) => new Party({ task, signal, rounds, cells }))
    await Promise.all(parties.map((party) => party.id))
    openGate(cells)
    await Promise.all(parties.map((party) => party.done))
    expect([cells[1], signal.tryWait(), signal.tryWait()]).toEqual([4 * rounds, true, false])
  })

  test('a manual signal lets all go, blocked and not, though it is reset at once', async () => {
    const cells = newCells()
    const signal = new Signal()
    const blocked = [1, 2].map(() => new Party({ task: 'block', signal, cells }))
    const waiting = new Party({ task: 'wait', signal, cells })
    await Promise.all([...blocked.map((party) => party.blocked()), waiting.waiting])
    signal.set()
    signal.reset()
    await Promise.all([...blocked, waiting].map((party) => party.done))
    expect([cells[0], signal.isSet]).toEqual([3, false])
  })

  test('each set of an automatic signal lets the thread go that has waited longest', async () => {
    const cells = newCells()
    const signal = new Signal({ reset: 'automatic' })
    const parties: Party[] = []
    for (const task of ['block', 'wait', 'block'] as const) {
      const party = new Party({ task, signal, cells })
      parties.push(party)
      await (task === 'block' ? party.blocked() : party.waiting)
    }
    for (const [i, party] of parties.entries()) {
      signal.set()
      await party.done
      expect(cells[0]).toBe(i + 1)
    }
  })

  test('a waiter that is terminated in mid-wait, blocked or not, costs nobody a signal', async () => {
    const cells = newCells()
    const signal = new Signal({ reset: 'automatic' })
    const doomed = [new Party({ task: 'block', signal, cells }), new Party({ task: 'wait', signal, cells })]
    await Promise.all([doomed[0]!.blocked(), doomed[1]!.waiting])
    const others = [new Party({ task: 'block', signal, cells }), new Party({ task: 'wait', signal, cells })]
    await Promise.all([others[0]!.blocked(), others[1]!.waiting])
    for (const { worker } of doomed) void worker.terminate()
    await Promise.all(doomed.map((party) => party.ended))
    signal.set()
    signal.set()
    await Promise.all(others.map((party) => party.done))
    expect([cells[0], signal.isSet]).toEqual([2, false])
  })

  test('what was given to a waiter whose thread dies before it sees it goes to the next, or stays set', async () => {
    for (const next of ['block', 'wait', 'none'] as const) {
      const cells = newCells()
      const signal = new Signal({ reset: 'automatic' })
      const gate = new Signal()
      // It is blocked, so it can't see what its asynchronous waiter is given.
      const doomed = new Party({ task: 'waitAndBlock', signal, answer: gate, cells })
      await doomed.blocked()
      signal.set()
      expect(signal.isSet).toBe(false)
      if (next === 'none') {
        await doomed.worker.terminate()
        await signal.wait()
      } else {
        const heir = new Party({ task: next, signal, cells })
        await (next === 'block' ? heir.blocked() : heir.waiting)
        void doomed.worker.terminate()
        await heir.done
      }
      expect(signal.isSet).toBe(false)
    }
  })

  test('a blocked thread keeps nobody from going: its asynchronous waiter is passed over, and not forgotten', async () => {
    const cells = newCells()
    const signal = new Signal({ reset: 'automatic' })
    const gate = new Signal()
    const first = new Party({ task: 'waitAndBlock', signal, answer: gate, cells })
    await first.blocked()
    const second = new Party({ task: 'block', signal, cells })
    await second.blocked()
    signal.set()
    await second.done
    signal.set()
    expect(signal.isSet).toBe(false)
    gate.set()
    await first.done
    expect(cells[0]).toBe(2)
  })
})

describe('Barrier between threads', () => {
  test('four threads, one of them awaiting, pass 1,000 generations with one leader each', async () => {
    const cells = newCells()
    const rounds = 1000
    const barrier = new Barrier(4)
    const tasks = ['meet', 'meet', 'meetAwaiting', 'meet'] as const
    const parties = tasks.map((task) => new Party({ task, barrier, rounds, cells }))
    const results = await Promise.all(parties.map((party) => party.done))
    expect(results.map(({ generation }) => generation)).toEqual([999, 999, 999, 999])
    const leaders = results.flatMap(({ led }) => led!).sort((a, b) => a - b)
    expect(leaders).toEqual(Array.from({ length: rounds }, (_, i) => i))
    expect([cells[1], barrier.arrived]).toEqual([4 * rounds, 0])
  })

  for (const task of ['meetOnce', 'meetOnceAwaiting'] as const) {
    test(`a thread that dies in it (${task}) breaks it for all that wait, at once; then it begins anew`, async () => {
      const cells = newCells()
      const barrier = new Barrier(4, { name: 'phase' })
      const doomed = new Party({ task, barrier, cells })
      const blocked = new Party({ task: 'meetOnce', barrier, cells })
      const waiting = new Party({ task: 'meetOnceAwaiting', barrier, cells })
      await Promise.all([task === 'meetOnce' ? doomed.blocked() : doomed.waiting, blocked.blocked(), waiting.waiting])
      expect(barrier.arrived).toBe(3)
      void doomed.worker.terminate()
      for (const { error } of await Promise.all([blocked.done, waiting.done])) {
        expect(error!.name).toBe('AbandonedError')
        expect(error!.message).toMatch(/thread died while it waited at barrier "phase".*generation 0/)
      }
      expect(barrier.arrived).toBe(0)
      const passages = await Promise.all([1, 2, 3, 4].map(() => barrier.wait()))
      expect(passages.map(({ generation }) => generation)).toEqual([1, 1, 1, 1])
      expect(passages.filter(({ isLeader }) => isLeader)).toHaveLength(1)
    })
  }

  test('this thread’s own wait is broken too, and who arrives after a death is not', async () => {
    const cells = newCells()
    const barrier = new Barrier(3)
    const doomed = new Party({ task: 'meetOnce', barrier, cells })
    await doomed.blocked()
    const own = barrier.wait()
    void doomed.worker.terminate()
    await expect(own).rejects.toMatchObject({ name: 'AbandonedError' })
    const next = [barrier.wait(), barrier.wait()]
    expect(barrier.waitSync({ timeout: 0 })).toEqual({ isLeader: true, generation: 1 })
    await Promise.all(next)
  })
})

describe('Latch between threads', () => {
  test('four threads count 4,000 down, and all go at 0', async () => {
    const cells = newCells()
    const latch = new Latch(4000)
    const parties = [1, 2, 3, 4].map(() => new Party({ task: 'countDown', latch, rounds: 1000, cells }))
    await Promise.all(parties.map((party) => party.id))
    let open = false
    const own = latch.wait().then(() => (open = true))
    openGate(cells)
    await Promise.all(parties.map((party) => party.done))
    await own
    expect([open, latch.count]).toEqual([true, 0])
  })

  test('those who arrive and wait go with the last, blocked or not', async () => {
    const cells = newCells()
    const latch = new Latch(4)
    const parties = (['arriveAndWait', 'arriveAndWaitAwaiting', 'arriveAndWait'] as const).map(
      (task) => new Party({ task, latch, cells }),
    )
    await Promise.all([parties[0]!.blocked(), parties[1]!.waiting, parties[2]!.blocked()])
    expect(latch.count).toBe(1)
    latch.arriveAndWaitSync()
    await Promise.all(parties.map((party) => party.done))
  })

  test('a waiter that is terminated in mid-wait costs nobody anything', async () => {
    const cells = newCells()
    const latch = new Latch(1)
    const doomed = [new Party({ task: 'blockForLatch', latch, cells }), new Party({ task: 'awaitLatch', latch, cells })]
    await Promise.all([doomed[0]!.blocked(), doomed[1]!.waiting])
    const others = [new Party({ task: 'blockForLatch', latch, cells }), new Party({ task: 'awaitLatch', latch, cells })]
    await Promise.all([others[0]!.blocked(), others[1]!.waiting])
    for (const { worker } of doomed) void worker.terminate()
    await Promise.all(doomed.map((party) => party.ended))
    latch.countDown()
    await Promise.all(others.map((party) => party.done))
  })
})

test('an awaited signal, barrier or latch keeps the process alive, an idle one does not', async () => {
  const program = fileURLToPath(new URL('./threads/rendezvous-alone.js', import.meta.url))
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  const [code] = await once(child, 'close')
  expect({ code, output }).toEqual({ code: 0, output: 'went, 3 idle\n' })
})
