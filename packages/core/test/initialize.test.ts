import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { currentThread, FlatshareError, initialize, marshal, onThreadExit } from '@flatshare/core'
import { firstThread, notificationMode, onLastRelease } from '@flatshare/core/internal'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Order } from './threads/initializing.js'

interface Answer {
  readonly result?: any
  readonly error?: string
}

/** A thread that initialises as it is told. */
async function startThread() {
  const [workerData, transferList] = marshal(undefined)
  const worker = new Worker(new URL('./threads/initializing.js', import.meta.url), { workerData, transferList })
  worker.on('error', () => {})
  onTestFinished(async () => void (await worker.terminate()))
  const answers: Answer[] = []
  const hooks: number[] = []
  let answered = () => {}
  worker.on('message', (message: Answer & { hooked?: number }) => {
    if (message.hooked === undefined) answers.push(message)
    else hooks.push(message.hooked)
    answered()
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => (answered = resolve))
  }
  const next = async () => {
    await until(() => answers.length > 0)
    const { result, error } = answers.shift()!
    if (error !== undefined) throw new Error(error)
    return result
  }
  const id = (await next()) as number
  return {
    id,
    worker,
    tell(order: Order): Promise<any> {
      worker.postMessage(order)
      return next()
    },
    /** Resolves when its hook has run so many times. */
    hooked: (times: number) => until(() => hooks.length >= times),
    /** Resolves when this thread has heard of its end. */
    async end(end: () => void): Promise<void> {
      await new Promise<void>((resolve) => {
        const stop = onThreadExit((exit) => {
          if (exit.id !== id) return
          stop()
          resolve()
        })
        end()
      })
    },
  }
}

describe('S39 initialize', () => {
  it('S39 is optional: there are defaults', () => {
    expect(notificationMode()).toBe('first-thread')
    expect(firstThread()).toBe(currentThread.id)
  })

  it('S39 refuses options that there are not', () => {
    for (const wrong of [null, 5, 'x', { notifications: 'somewhere' }, { notifications: 1 }, { notification: 'x' }]) {
      expect(() => initialize(wrong as never)).toThrow(TypeError)
    }
    expect(() => initialize({ notification: 'first-thread' } as never)).toThrow(
      'initialize has no option "notification"; it has notifications.',
    )
    expect(() => initialize({ notifications: 'somewhere' as never })).toThrow(
      "notifications is 'first-thread' or 'service-thread', not somewhere.",
    )
    // Nothing is held by a call that failed.
    void initialize({ notifications: 'service-thread' }).release()
    expect(notificationMode()).toBe('first-thread')
  })

  it('S39 is counted: the last release lets other options be given', async () => {
    const one = initialize({ notifications: 'service-thread' })
    const two = initialize()
    const three = initialize({ notifications: 'service-thread' })
    expect(notificationMode()).toBe('service-thread')
    await one.release()
    await three.release()
    expect(() => initialize({ notifications: 'first-thread' })).toThrow(FlatshareError)
    await two.release()
    expect(notificationMode()).toBe('first-thread')
    await using _ = initialize({ notifications: 'first-thread' })
    expect(() => initialize({ notifications: 'service-thread' })).toThrow(FlatshareError)
  })

  it('S39 an option left out conflicts with nothing, and may be given later', async () => {
    await using _ = initialize()
    expect(notificationMode()).toBe('first-thread')
    await using __ = initialize({ notifications: 'service-thread' })
    await using ___ = initialize({})
    expect(notificationMode()).toBe('service-thread')
  })

  it('S39 is released once; disposing of it twice is harmless', async () => {
    const one = initialize({ notifications: 'service-thread' })
    const two = initialize()
    await one.release()
    await expect(one.release()).rejects.toThrow(/was released before/)
    await one[Symbol.asyncDispose]()
    await one[Symbol.asyncDispose]()
    expect(notificationMode()).toBe('service-thread')
    await two[Symbol.asyncDispose]()
    await two[Symbol.asyncDispose]()
    await expect(two.release()).rejects.toThrow(FlatshareError)
    expect(notificationMode()).toBe('first-thread')
  })

  it('S39 a conflict on another thread says which option, what it was, and which thread set it', async () => {
    const thread = await startThread()
    await thread.tell({ do: 'initialize', options: { notifications: 'service-thread' } })
    expect(notificationMode()).toBe('service-thread')
    expect(() => initialize({ notifications: 'first-thread' })).toThrow(
      `initialize on "main": notifications can't be 'first-thread', because "worker ${thread.id}" has initialised with ` +
        "'service-thread'. Say the same, leave the option out, or release all others first.",
    )
    const mine = initialize()
    await thread.tell({ do: 'release' })
    expect(notificationMode()).toBe('service-thread')
    await mine.release()
    await using _ = initialize({ notifications: 'first-thread' })
    const refused = thread.tell({ do: 'initialize', options: { notifications: 'service-thread' } })
    await expect(refused).rejects.toThrow(/FlatshareError: .* because "main" has initialised with 'first-thread'/)
  })

  it.each(['exit', 'throw', 'return', 'terminate'] as const)('S39 a thread that ends (%s) releases', async (how) => {
    const thread = await startThread()
    await thread.tell({ do: 'initialize', options: { notifications: 'service-thread' } })
    await thread.tell({ do: 'initialize' })
    let hooks = 0
    const ran = new Promise<void>((resolve) => {
      onLastRelease(() => {
        hooks++
        resolve()
      })
    })
    await thread.end(() => {
      if (how === 'terminate') void thread.worker.terminate()
      else thread.worker.postMessage({ do: 'end', how } satisfies Order)
    })
    expect(notificationMode()).toBe('first-thread')
    await ran
    expect(hooks).toBe(1)
    await using _ = initialize({ notifications: 'first-thread' })
  })

  it('S39 the last release ends things on every thread that has some, once each time', async () => {
    const [one, two] = [await startThread(), await startThread()]
    let hooks = 0
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    onLastRelease(async () => {
      await gate
      hooks++
    })
    await one.tell({ do: 'hook' })
    await two.tell({ do: 'hook' })
    const mine = initialize()
    await one.tell({ do: 'initialize' })
    await one.tell({ do: 'release' })
    expect(await two.tell({ do: 'look' })).toMatchObject({ hooked: 0 })
    const released = mine.release()
    await Promise.all([one.hooked(1), two.hooked(1)])
    // Who released last awaits what its own thread ends.
    expect(hooks).toBe(0)
    release()
    await released
    expect(hooks).toBe(1)
    await two.tell({ do: 'initialize' })
    await two.tell({ do: 'release' })
    await one.hooked(2)
    expect(await two.tell({ do: 'look' })).toMatchObject({ hooked: 2 })
  })

  it('S39 what fails to end is told to who released last, and stops nothing else', async () => {
    let after = 0
    let fails = true
    onLastRelease(() => {
      if (fails) throw new RangeError('on purpose')
    })
    onLastRelease(() => void after++)
    await expect(initialize().release()).rejects.toThrow('on purpose')
    fails = false
    expect(after).toBe(1)
    await initialize().release()
    expect(after).toBe(2)
  })

  it('S27 the first thread is the one that holds it longest', async () => {
    const [one, two] = [await startThread(), await startThread()]
    expect(await two.tell({ do: 'look' })).toMatchObject({ first: currentThread.id })
    await one.tell({ do: 'initialize' })
    await using _ = initialize()
    await two.tell({ do: 'initialize' })
    expect(await two.tell({ do: 'look' })).toMatchObject({ first: one.id })
    expect(firstThread()).toBe(one.id)
    await one.tell({ do: 'initialize' })
    await one.tell({ do: 'release' })
    expect(firstThread()).toBe(one.id)
    await one.end(() => void one.worker.terminate())
    expect(firstThread()).toBe(currentThread.id)
    expect(await two.tell({ do: 'look' })).toMatchObject({ first: currentThread.id })
  })

  it('S39 many threads that initialise and release at once end it once at least, and hold nothing after', async () => {
    const threads = await Promise.all([1, 2, 3].map(startThread))
    let ended = 0
    onLastRelease(() => void ended++)
    const rounds = async (thread: Awaited<ReturnType<typeof startThread>>) => {
      for (let i = 0; i < 50; i++) {
        await thread.tell({ do: 'initialize', options: { notifications: 'service-thread' } })
        await thread.tell({ do: 'release' })
      }
    }
    await Promise.all(threads.map(rounds))
    await initialize({ notifications: 'first-thread' }).release()
    expect(ended).toBeGreaterThan(0)
    expect(notificationMode()).toBe('first-thread')
  })

  it.each([
    ['releases', 'hook\nended\n'],
    ['does not release', 'ended\n'],
  ])('S39 a program that %s ends by itself', (what, output) => {
    const program = fileURLToPath(new URL('./threads/initialized-program.js', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, what], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: output, stderr: '' })
  })
})
