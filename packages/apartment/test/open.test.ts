import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import { Apartment, connect, serve } from '@flatshare/apartment'
import { currentThread, FlatshareError, registerError } from '@flatshare/core'
import { describe, expect, it } from 'vitest'
import { openStore } from './apartments.js'

const thread = (name: string) => new URL(`./threads/${name}.js`, import.meta.url)

/** Opens what can't be opened, and tells the error and whether the worker has ended. */
async function refused(source: URL | string | (() => Worker), options: object = {}) {
  const workers: Worker[] = []
  const made =
    typeof source === 'function'
      ? () => {
          workers.push(source())
          return workers[0]!
        }
      : source
  const error: any = await Apartment.open(made, options).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { error, left: workers.filter(({ threadId }) => threadId !== -1).length }
}

describe('Apartment.open', () => {
  it('runs a module and serves its exports, with the workerData and the name that are given', async () => {
    await using apartment = await Apartment.open<typeof import('./threads/data.js')>(thread('data'), {
      name: 'named',
      workerData: { a: [1] },
    })
    expect(apartment.name).toBe('named')
    expect(await apartment.remote.name()).toBe('named')
    expect(await apartment.remote.received()).toEqual({ a: [1] })
    const main = await apartment.create('default')
    expect(await main.hello()).toBe('hello')
  })

  it('refuses a promise of a worker, and ends what it brings', async () => {
    let worker!: Worker
    const promised = async () => (worker = new Worker(thread('serving')))
    await expect(Apartment.open(promised as never)).rejects.toThrow(
      'The function gave a promise: it must give the worker or the process itself.',
    )
    if (worker.threadId !== -1) await once(worker, 'exit')
    expect(worker.threadId).toBe(-1)
  })

  it('takes a function that makes a worker whose module serves', async () => {
    await using apartment = await Apartment.open(() => new Worker(thread('serving')), { name: 'made' })
    expect(apartment.name).toBe('made')
    expect(await apartment.remote.resize(4)).toBe(8)
    const counter: any = await apartment.create('Counter')
    expect([await counter.next(), await counter.next()]).toEqual([1, 2])
  })

  it('opens an apartment inside an apartment, whose objects are called directly', async () => {
    await using outer = await Apartment.open<typeof import('./threads/nested.js')>(thread('nested'), { name: 'outer' })
    const relay = await outer.remote.openInner()
    expect(String(relay)).toBe('Remote<Relay> { home: "inner", connected }')
    expect(await relay.caller()).toBe(currentThread.id)
    expect(await relay.home()).not.toBe(outer.threadId)
    await outer.remote.closeInner()
    await expect(relay.ping()).rejects.toThrow(/the thread "inner" has ended/)
  })

  it('opens many at once', async () => {
    const apartments = await Promise.all(Array.from({ length: 6 }, () => openStore()))
    expect(new Set(apartments.map(({ threadId }) => threadId)).size).toBe(6)
    const accounts = await Promise.all(apartments.map((apartment, i) => apartment.create('Account', i)))
    expect(await Promise.all(accounts.map((account) => account.balance))).toEqual([0, 1, 2, 3, 4, 5])
    await Promise.all(apartments.map((apartment) => apartment.close()))
  })

  it('rejects when the module throws, with its error as cause', async () => {
    class StartError extends Error {}
    registerError({ StartError })
    const { error } = await refused(thread('throws'), { name: 'x' })
    expect(error).toBeInstanceOf(FlatshareError)
    expect(error.message).toBe('The apartment "x" did not start: this module fails')
    expect(error.cause).toBeInstanceOf(StartError)
    expect(error.cause.reason).toBe('on purpose')
    const made = await refused(() => new Worker(thread('throws')))
    expect(made.error.cause.message).toBe('this module fails')
    expect(made.left).toBe(0)
  })

  it('rejects when there is no such module', async () => {
    const { error } = await refused(thread('nowhere'))
    expect(error.cause.code).toBe('ERR_MODULE_NOT_FOUND')
    const made = await refused(() => new Worker(thread('nowhere')))
    expect(made.error.message).toMatch(/did not start: Cannot find module/)
    expect(made.left).toBe(0)
  })

  it('rejects when the thread ends, at its start or in the middle of the hello', async () => {
    for (const [source, code] of [
      [thread('exits'), 5],
      [() => new Worker(thread('exits')), 5],
      [() => new Worker(thread('serves-then-exits')), 0],
    ] as const) {
      const { error, left } = await refused(source)
      expect(error).toBeInstanceOf(FlatshareError)
      expect(error.message).toBe(`The apartment ended before it began to serve, with exit code ${code}.`)
      expect(left).toBe(0)
    }
  })

  it('S20 rejects when nobody serves in time, and says so', async () => {
    const { error, left } = await refused(() => new Worker(thread('idle')), { startTimeout: 50 })
    expect(error.message).toMatch(/has not begun to serve within 50 ms: does its module call serve\(\)\?/)
    expect(error.cause.name).toBe('TimeoutError')
    expect(left).toBe(0)
  })

  it('can be given up by a signal', async () => {
    const controller = new AbortController()
    const opening = refused(() => new Worker(thread('idle')), { signal: controller.signal })
    controller.abort(new Error('enough'))
    const { error, left } = await opening
    expect(error.message).toBe('enough')
    expect(left).toBe(0)
    expect((await refused(thread('idle'), { signal: controller.signal })).error.message).toBe('enough')
  })

  it('refuses what is no worker', async () => {
    expect((await refused((() => ({})) as never)).error).toBeInstanceOf(TypeError)
    const thrown = await refused(() => {
      throw new RangeError('no worker today')
    })
    expect(thrown.error.cause).toBeInstanceOf(RangeError)
  })
})

describe('what is no setting', () => {
  it('is refused, and no worker is left', async () => {
    for (const startTimeout of [Number.NaN, -1, '5'] as number[]) {
      await expect(openStore({ startTimeout })).rejects.toThrow(RangeError)
    }
    await using patient = await openStore({ startTimeout: Number.POSITIVE_INFINITY })
    expect(await patient.remote.resize(1, (x) => x)).toBe(1)
  })

  it('is refused by serve', () => {
    expect(() => serve(5 as never)).toThrow(TypeError)
    expect(() => serve({}, {} as never)).toThrow(TypeError)
  })
})

describe('connect', () => {
  it('reaches what a worker serves, beside the worker’s own messages', async () => {
    const worker = new Worker(thread('serving'))
    const echoed = once(worker, 'message')
    worker.postMessage('early')
    const [one, two] = await Promise.all([connect(worker), connect(worker)])
    expect(await one.resize(4)).toBe(8)
    expect(await two.resize(5)).toBe(10)
    const [message] = await echoed
    expect([{ echo: 'early' }, { flatshare: 'serving' }]).toContainEqual(message)
    worker.postMessage('later')
    for (;;) if ((await once(worker, 'message'))[0].echo === 'later') break
    await worker.terminate()
  })

  it('reaches the thread that started this one', async () => {
    const worker = new Worker(thread('serving'))
    serve({ add: (a: number, b: number) => a + b }, worker)
    const api = await connect(worker)
    expect(await api.viaParent(2, 3)).toBe(5)
    await worker.terminate()
  })

  it('reaches over a port', async () => {
    const { port1, port2 } = new MessageChannel()
    serve({ triple: (x: number) => x * 3 }, port1)
    const api = await connect<{ triple(x: number): number }>(port2)
    expect(await api.triple(3)).toBe(9)
    port1.close()
  })

  it('S20 waits for a worker that begins late: nothing sent early is lost', async () => {
    const cell = new SharedArrayBuffer(4)
    const worker = new Worker(thread('late'), { workerData: cell })
    const connecting = connect<{ heard(): number }>(worker)
    worker.postMessage('of the user')
    await once(worker, 'online')
    Atomics.store(new Int32Array(cell), 0, 1)
    Atomics.notify(new Int32Array(cell), 0)
    expect(await (await connecting).heard()).toBeGreaterThan(0)
    await worker.terminate()
  })

  it('S20 gives up in time', async () => {
    const worker = new Worker(thread('idle'))
    await expect(connect(worker, { startTimeout: 50 })).rejects.toThrow(/has not begun to serve within 50 ms/)
    await worker.terminate()
    await expect(connect(worker)).rejects.toThrow(/has ended/)
    await expect(connect({} as never)).rejects.toThrow(TypeError)
  })
})

describe('the process', () => {
  const run = (ending: string) => {
    const program = fileURLToPath(thread('program'))
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ending], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    return { status, stdout, stderr }
  }

  it('ends by itself once its apartments are closed', () => {
    expect(run('close')).toEqual({ status: 0, stdout: 'closed\n', stderr: '' })
  })

  it('ends by itself when an apartment ends itself', () => {
    expect(run('exit')).toEqual({ status: 0, stdout: 'DisconnectedError\n', stderr: '' })
  })
})
