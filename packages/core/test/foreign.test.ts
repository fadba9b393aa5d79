import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { currentThread, marshal, onThreadExit, type ThreadExit } from '@flatshare/core'
import {
  foreignHome,
  isAlive,
  isForeign,
  joinForeign,
  livingThreads,
  makerOf,
  newCallId,
  onThreadExitInternal,
  processName,
  threadName,
} from '@flatshare/core/internal'
import { afterEach, describe, expect, it } from 'vitest'

const home = { process: 'elsewhere', pid: 4711, thread: 3, name: 'indexer' }

const started: Worker[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.terminate()))
})

async function startLinked(): Promise<{ worker: Worker; id: number }> {
  const [packet, transferList] = marshal(undefined)
  const worker = new Worker(new URL('./threads/foreign.js', import.meta.url), { workerData: packet, transferList })
  started.push(worker)
  const [id] = (await once(worker, 'message')) as [number]
  return { worker, id }
}

function nextExit(id: number): Promise<ThreadExit> {
  return new Promise((resolve) => {
    const stop = onThreadExit((exit) => {
      if (exit.id !== id) return
      stop()
      resolve(exit)
    })
  })
}

describe('the thread of another process', () => {
  it('has an id, a name and a home, and is none of the threads that run here', () => {
    const before = [currentThread.id]
    expect(livingThreads()).toEqual(before)
    const thread = joinForeign(home, 'indexer of 4711')
    expect(isAlive(thread.id)).toBe(true)
    expect(isForeign(thread.id)).toBe(true)
    expect(isForeign(currentThread.id)).toBe(false)
    expect(threadName(thread.id)).toBe('indexer of 4711')
    expect(foreignHome(thread.id)).toEqual(home)
    expect(livingThreads()).toEqual(before)
    thread.rename('x'.repeat(300))
    expect(threadName(thread.id)).toBe('x'.repeat(40))
    expect(isForeign(thread.id)).toBe(true)
    thread.end()
  })

  it('S13 ends where nothing else runs here, too, and once', async () => {
    const heard: number[] = []
    const thread = joinForeign(home, 'alone')
    onThreadExitInternal(({ id }) => {
      if (id === thread.id) heard.push(id)
    })
    const exit = nextExit(thread.id)
    thread.end(3)
    thread.end(4)
    expect(await exit).toEqual({ id: thread.id, name: 'alone', code: 3 })
    expect(isAlive(thread.id)).toBe(false)
    expect(foreignHome(thread.id)).toBeUndefined()
    expect(heard).toEqual([thread.id])
  })

  it('S13 made before the first other thread of this process, its end is told', async () => {
    const thread = joinForeign(home, 'early')
    await startLinked()
    const exit = nextExit(thread.id)
    thread.end()
    expect(await exit).toEqual({ id: thread.id, name: 'early', code: undefined })
  })

  it.each(['exit', 'terminate'] as const)('S13 ends with the thread that has the link to it (%s)', async (way) => {
    const { worker, id } = await startLinked()
    expect(isAlive(id)).toBe(true)
    expect(threadName(id)).toBe('far away')
    expect(livingThreads()).not.toContain(id)
    const exit = nextExit(id)
    if (way === 'exit') worker.postMessage('go')
    else void worker.terminate()
    expect((await exit).name).toBe('far away')
    expect(isAlive(id)).toBe(false)
  })

  it('gives its calls ids of their own, by which their maker is known', () => {
    const thread = joinForeign(home, 'caller')
    const ids = Array.from({ length: 100 }, () => [thread.newAlias(), newCallId()]).flat()
    expect(new Set(ids).size).toBe(200)
    expect(ids.map(makerOf)).toEqual(ids.map((_, i) => (i % 2 === 0 ? thread.id : currentThread.id)))
    thread.end()
  })
})

it('a process has one name, of 32 digits', () => {
  expect(processName()).toMatch(/^[0-9a-f]{32}$/)
  expect(processName()).toBe(processName())
})
