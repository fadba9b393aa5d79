import { inspect } from 'node:util'
import { MessageChannel, Worker } from 'node:worker_threads'
import { Apartment, attachTo as attach } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { Opener } from './opener.js'

const thread = (name: string) => new URL(`../threads/${name}.js`, import.meta.url)
const workers: Worker[] = []

function newWorker(name: string): Worker {
  const worker = new Worker(thread(name))
  workers.push(worker)
  return worker
}

export function attached({ link }: Opener): void {
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  const attachTo: typeof attach = (worker, options) => attach(worker, { ...options, link })

  describe('attachTo', () => {
    it('makes objects on a worker that somebody else started', async () => {
      const apartment = await attachTo(newWorker('serving'))
      const counter: any = await apartment.create('Counter')
      expect([await counter.next(), await counter.next()]).toEqual([1, 2])
      expect(await apartment.remote.resize(4)).toBe(8)
      expect(apartment).toBeInstanceOf(Apartment)
      expect(inspect(apartment)).toMatch(/^Apartment \{ name: "worker \d+", thread: \d+, connected \}$/)
    })

    it('close lets go of it: the worker goes on, for others and for later', async () => {
      const worker = newWorker('serving')
      const apartment = await Apartment.attachTo(worker, { link })
      const other = await attachTo(worker)
      const counter: any = await apartment.create('Counter')
      await apartment.close()
      await apartment.close()
      const error: any = await counter.next().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.message).toMatch(/was let go by this one; the call was not made/)
      expect(inspect(apartment)).toMatch(/let go/)
      expect(await other.remote.resize(1)).toBe(2)
      await using again = await attachTo(worker)
      expect(await again.remote.resize(2)).toBe(4)
      expect(worker.threadId).not.toBe(-1)
    })

    it('close waits for calls in flight', async () => {
      const apartment = await attachTo(newWorker('pooled-served'))
      let entered!: () => void
      const running = new Promise<void>((resolve) => {
        entered = resolve
      })
      let open!: (value: string) => void
      const opened = new Promise<string>((resolve) => {
        open = resolve
      })
      const call = apartment.remote.hold(() => {
        entered()
        return opened
      })
      await running
      const closing = apartment.close()
      await expect(apartment.remote.hold(() => 1)).rejects.toThrow(/is being closed/)
      open('done')
      expect(await call).toBe('done')
      await closing
    })

    it('terminate ends it', async () => {
      const worker = newWorker('serving')
      const apartment = await attachTo(worker)
      const pending = apartment.remote.viaParent(1, 2).catch((error: unknown) => error)
      await apartment.terminate()
      expect(await pending).toBeInstanceOf(DisconnectedError)
      expect(worker.threadId).toBe(-1)
      await expect(attachTo(worker)).rejects.toThrow(/has ended/)
    })

    it('says what is wrong', async () => {
      await expect(attachTo(new MessageChannel().port1)).rejects.toThrow(/there is connect/)
      await expect(attachTo(undefined as never)).rejects.toThrow(TypeError)
      await expect(attachTo(newWorker('idle'), { startTimeout: 50 })).rejects.toThrow(
        /does its module call serve\(\)\?/,
      )
      await expect(attachTo(newWorker('exits'))).rejects.toThrow(/ended before it began to serve/)
    })
  })
}
