import { Worker } from 'node:worker_threads'
import { peerOf } from '@flatshare/apartment/internal'
import { currentThread, DisconnectedError, FlatshareError, marshal } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'
import type { Opener } from './opener.js'

type Registering = typeof import('../threads/registering.js')

const caught = async (promise: PromiseLike<unknown>): Promise<any> => {
  try {
    return { gave: await promise }
  } catch (error) {
    return error
  }
}

const said = (worker: Worker) => new Promise<any>((resolve) => worker.once('message', resolve))

export function introductions(opener: Opener): void {
  const open = (name: string) => opener<Registering>(new URL('../threads/registering.js', import.meta.url), { name })

  describe('introductions', () => {
    it('of many threads, all to each other at once', async () => {
      const apartments = await Promise.all(['a', 'b', 'c', 'd'].map(open))
      const ids = [currentThread.id, ...apartments.map(({ threadId }) => threadId)]
      const others = (own: number) => ids.filter((id) => id !== own)
      const met = await Promise.all([
        ...apartments.map(({ remote, threadId }) => remote.meetAll(others(threadId))),
        Promise.all(others(currentThread.id).map(async (id) => (await peerOf(id)).threadId)),
      ])
      expect(met).toEqual([...apartments.map(({ threadId }) => others(threadId)), others(currentThread.id)])
      const [first] = apartments
      expect(await peerOf(first!.threadId)).toBe(await peerOf(first!.threadId))
      await Promise.all(apartments.map((apartment) => apartment.close()))
    })

    it('to a thread that has ended, or ends meanwhile, are refused', async () => {
      const [doomed, other] = await Promise.all([open('doomed'), open('other')])
      const { threadId } = doomed
      const memory = new SharedArrayBuffer(8)
      const blocked = caught(doomed.remote.block(memory))
      await (Atomics as any).waitAsync(new Int32Array(memory), 1, 0).value
      const pending = caught(other.remote.meet(threadId, 20_000))
      await other.remote.names()
      await doomed.terminate()
      await blocked
      const error = await pending
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.message).toMatch(/The thread "doomed" can't be reached: it has ended/)
      await settleExits()
      expect(await caught(peerOf(threadId))).toBeInstanceOf(DisconnectedError)
      expect(await caught(other.remote.meet(threadId, 20_000))).toBeInstanceOf(DisconnectedError)
      await other.close()
    })

    it('are for other threads, with a deadline that is one', async () => {
      await expect(peerOf(currentThread.id)).rejects.toThrow(TypeError)
      await expect(peerOf(1000)).rejects.toThrow(DisconnectedError)
      await expect(peerOf(1000, { timeout: Number.NaN })).rejects.toThrow(RangeError)
      await expect(peerOf(1000, { signal: AbortSignal.abort('no') })).rejects.toBe('no')
    })
  })

  describe('S20 a thread that has not imported the package', () => {
    it('is waited for up to a deadline; what was sent is not lost', async () => {
      const [packet, transferList] = marshal({})
      const worker = new Worker(new URL('../threads/stranger.js', import.meta.url), {
        workerData: packet,
        transferList,
      })
      const { id } = await said(worker)
      const error = await caught(peerOf(id, { timeout: 20 }))
      expect(error).toBeInstanceOf(FlatshareError)
      expect(error.message).toMatch(/has not answered within 20 ms: its module has not imported @flatshare\/apartment/)
      expect(error.cause).toMatchObject({ name: 'TimeoutError' })
      const controller = new AbortController()
      const waiting = caught(peerOf(id, { signal: controller.signal }))
      controller.abort('enough')
      expect(await waiting).toBe('enough')
      const meeting = peerOf(id)
      worker.postMessage('import')
      const peer = await meeting
      expect(peer.threadId).toBe(id)
      expect(await peerOf(id)).toBe(peer)
      await worker.terminate()
      await settleExits()
      expect(peer.gone).toBe(true)
      // It had joined before it loaded what this package builds on: nothing of the others' memory was touched.
      const next = await open('next')
      expect(await next.remote.names()).toEqual(expect.any(Array))
      await next.close()
    })
  })
}
