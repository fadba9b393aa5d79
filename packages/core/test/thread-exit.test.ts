import { Worker } from 'node:worker_threads'
import { currentThread, marshal, onThreadExit, type ThreadExit } from '@flatshare/core'
import { allocate, i32, isAlive, LOOK_AGAIN, livingThreads, park, settleExits } from '@flatshare/core/internal'
import { afterEach, describe, expect, it } from 'vitest'
import type { Ending } from './threads/ending.js'

const started: Worker[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.terminate()))
})

/** Starts a thread and blocks until it has joined. */
function start(ending: Ending): { worker: Worker; id: number; go(): void } {
  const cell = allocate(16)
  const [packet, transferList] = marshal({ cell, ending })
  const worker = new Worker(new URL('./threads/ending.js', import.meta.url), {
    workerData: packet,
    transferList,
    resourceLimits: { maxOldGenerationSizeMb: 24 },
  })
  worker.on('error', () => {})
  started.push(worker)
  expect(park(cell, 0, 20_000)).toBe('woken')
  const go = () => {
    Atomics.store(i32, (cell >> 2) + 1, 1)
    Atomics.notify(i32, (cell >> 2) + 1)
  }
  return { worker, id: i32[cell >> 2], go }
}

const endings: Array<[name: string, ending: Ending, code: number | undefined]> = [
  ['process.exit', 'exit', 7],
  ['an empty event loop', 'return', 0],
  ['an uncaught error', 'throw', 1],
  ['out of memory', 'out of memory', undefined],
  ['terminate() while it waits for events', 'wait', undefined],
  ['terminate() while it blocks', 'block', undefined],
]

describe.each(endings)('S13 the end of a thread by %s', (_name, ending, code) => {
  const end = ({ worker, go }: ReturnType<typeof start>) => {
    if (ending === 'wait' || ending === 'block') void worker.terminate()
    else go()
  }

  it('is noticed while this thread, the only other one, blocks', () => {
    const thread = start(ending)
    expect(isAlive(thread.id)).toBe(true)
    const node = allocate(16)
    end(thread)
    // No timeout that could hide a lost wake-up: 20 s is the end of the test.
    while (isAlive(thread.id)) {
      expect(park(node, 0, 20_000, { worthwhile: () => isAlive(thread.id) })).toBe('woken')
    }
    expect([0, LOOK_AGAIN]).toContain(i32[node >> 2])
    expect(livingThreads()).not.toContain(thread.id)
  })

  it('is told to listeners, with its name and code', async () => {
    const thread = start(ending)
    const heard = new Promise<ThreadExit>((resolve) => {
      const stop = onThreadExit((exit) => {
        if (exit.id !== thread.id) return
        stop()
        resolve(exit)
      })
    })
    end(thread)
    expect(await heard).toEqual({ id: thread.id, name: `worker ${thread.id}`, code })
    expect(isAlive(thread.id)).toBe(false)
  })
})

describe('onThreadExit', () => {
  it('refuses what is no function', () => {
    expect(() => onThreadExit(5 as never)).toThrow(TypeError)
  })

  it('is not called after it was disposed, or after its signal aborted', async () => {
    const calls: string[] = []
    const controller = new AbortController()
    const stop = onThreadExit(() => calls.push('stopped'))
    onThreadExit(() => calls.push('aborted'), { signal: controller.signal })
    onThreadExit(() => calls.push('never'), { signal: AbortSignal.abort() })
    {
      using _watching = onThreadExit(() => calls.push('disposed'))
    }
    const kept = onThreadExit(() => calls.push('kept'))
    stop()
    controller.abort()
    const { worker } = start('wait')
    await worker.terminate()
    await settleExits()
    kept()
    expect(calls).toEqual(['kept'])
  })

  it('calls every listener, and reports the error of one as uncaught', async () => {
    const calls: number[] = []
    const stops = [
      onThreadExit(() => {
        throw new Error('a broken listener')
      }),
      onThreadExit(({ id }) => calls.push(id)),
    ]
    const { worker, id } = start('wait')
    // The test runner's own listeners would fail the run.
    const runners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const reported = new Promise((resolve) => process.once('uncaughtException', resolve))
    await worker.terminate()
    expect(await reported).toMatchObject({ message: 'a broken listener' })
    for (const listener of runners) process.on('uncaughtException', listener)
    for (const stop of stops) stop()
    expect(calls).toEqual([id])
  })

  it('leaves this thread alive in the table', () => {
    expect(livingThreads()).toContain(currentThread.id)
  })
})
