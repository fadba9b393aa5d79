import { spawnSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { Apartment, ApartmentThreaded, connect, type OpenOptions, release } from '@flatshare/apartment'
import { describe, expect, it } from 'vitest'
import { openStore } from './apartments.js'
import { Lodger, Undecorated } from './threads/elsewhere.js'

type Options = typeof import('./threads/options.js')

const thread = (name: string) => new URL(`./threads/${name}.js`, import.meta.url)
const open = (options: OpenOptions) => Apartment.open<Options>(thread('options'), options)

describe('options of Apartment.open', () => {
  it('env gives the thread its own variables, or shares them', async () => {
    process.env['FLATSHARE_TEST'] = 'inherited'
    await using inherits = await open({})
    await using has = await open({ env: { FLATSHARE_TEST: 'own' } })
    await using shares = await open({ env: SHARE_ENV })
    process.env['FLATSHARE_TEST'] = 'changed'
    const found = await Promise.all([inherits, has, shares].map(({ remote }) => remote.environment('FLATSHARE_TEST')))
    expect(found).toEqual(['inherited', 'own', 'changed'])
    delete process.env['FLATSHARE_TEST']
  })

  it('stdout and stderr can be read', async () => {
    const apartment = await open({ stdout: true, stderr: true })
    const read = async (stream: AsyncIterable<any>) => {
      let text = ''
      for await (const chunk of stream) text += chunk
      return text
    }
    const reading = Promise.all([read(apartment.stdout!), read(apartment.stderr!)])
    await apartment.remote.print('to be read')
    await apartment.remote.complain('as well')
    await apartment.close()
    expect(await reading).toEqual(['to be read\n', 'as well\n'])
    await using other = await open({})
    expect([other.stdout, other.stderr]).toEqual([undefined, undefined])
  })

  it('resourceLimits hold', async () => {
    await using apartment = await open({ resourceLimits: { maxOldGenerationSizeMb: 32 } })
    expect(await apartment.remote.limits()).toMatchObject({ maxOldGenerationSizeMb: 32 })
  })

  it('keepAlive: false lets the process end', () => {
    const program = fileURLToPath(thread('unattended'))
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', timeout: 20_000 })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'asked\n', stderr: '' })
  })

  it.each<[OpenOptions, typeof TypeError | typeof RangeError]>([
    [{ name: 5 as never }, TypeError],
    [{ name: '' }, TypeError],
    [{ env: 'x' as never }, TypeError],
    [{ stdout: 1 as never }, TypeError],
    [{ keepAlive: 'no' as never }, TypeError],
    [{ transferList: 5 as never }, TypeError],
    [{ signal: {} as never }, TypeError],
    [{ link: 'ring' as never }, TypeError],
    [{ link: null as never }, TypeError],
    [{ startTimeout: -1 }, RangeError],
    [5 as never, TypeError],
  ])('%j is refused before anything is started', async (options, kind) => {
    let made = 0
    const source = () => {
      made++
      return new Worker(thread('serving'))
    }
    await expect(Apartment.open(source, options)).rejects.toThrow(kind)
    await expect(open(options)).rejects.toThrow(kind)
    expect(made).toBe(0)
  })

  it('what a function must give its worker itself is refused', async () => {
    const source = () => new Worker(thread('serving'))
    for (const options of [
      { workerData: 1 },
      { env: {} },
      { stdout: true },
      { resourceLimits: {} },
      { transferList: [] },
    ]) {
      await expect(Apartment.open(source, options)).rejects.toThrow(
        /is for a module opened by URL: give it to the worker/,
      )
    }
    await expect(Apartment.open('./mailbox.js')).rejects.toThrow(/write new URL\('.\/mailbox.js', import.meta.url\)/)
    await expect(Apartment.open(5 as never)).rejects.toThrow(TypeError)
  })
})

describe('opening', () => {
  it('tells what the module threw, also where that can’t cross', async () => {
    await expect(Apartment.open(thread('throws-a-symbol'))).rejects.toThrow(/did not start: Symbol\(no reason\)/)
  })

  it('tells of a module that is stuck', async () => {
    await expect(Apartment.open(thread('stuck'), { startTimeout: 300 })).rejects.toThrow(
      /has not begun to serve within 300 ms: is its module still waiting, by a top-level await\?/,
    )
  })

  it('leaves no listener, on signals or on workers', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const apartment = await openStore({ signal })
    expect(getEventListeners(signal, 'abort').length).toBe(0)
    await apartment.close()
    await expect(Apartment.open(thread('throws'), { signal })).rejects.toThrow()
    const worker = new Worker(thread('serving'))
    const before = listeners(worker)
    const apis: any[] = await Promise.all(Array.from({ length: 5 }, () => connect(worker, { signal })))
    const attached = await Apartment.attachTo(worker, { signal })
    expect(await apis[0].resize(2)).toBe(4)
    expect(getEventListeners(signal, 'abort').length).toBe(0)
    await attached.close()
    for (const api of apis) release(api)
    expect(listeners(worker)).toEqual(before)
    const givingUp = connect(worker, { signal })
    controller.abort(new Error('enough'))
    await expect(givingUp).rejects.toThrow('enough')
    expect(listeners(worker)).toEqual(before)
    await worker.terminate()
  })
})

const listeners = (worker: Worker) => worker.eventNames().map((name) => [name, worker.listenerCount(name)])

describe('a class by its module', () => {
  it('is made on a thread that doesn’t serve it', async () => {
    await using apartment = await openStore({ name: 'host' })
    const lodger = await apartment.create(Lodger, 7)
    expect(await lodger.where()).toBe('host: 7')
    const other = await apartment.create<Lodger>(new URL('./threads/elsewhere.js#Lodger', import.meta.url))
    expect(await other.where()).toBe('host: 1')
    const plain = await apartment.create<Undecorated>(new URL('./threads/elsewhere.js#Undecorated', import.meta.url))
    expect(await plain.where()).toBe('host')
    expect(String(plain)).toMatch(/^Remote<Undecorated>/)
  })

  it('is missed with a clear error', async () => {
    await using apartment = await openStore()
    const missing = (path: string) => apartment.create(new URL(path, import.meta.url))
    await expect(missing('./threads/elsewhere.js#Nobody')).rejects.toThrow(
      /elsewhere.js exports no class "Nobody": it exports Lodger, Undecorated\./,
    )
    await expect(missing('./threads/elsewhere.js#noClass')).rejects.toThrow(TypeError)
    await expect(missing('./threads/elsewhere.js')).rejects.toThrow(/names no class: add its export/)
    await expect(missing('./threads/nowhere.js#Lodger')).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' })
    await expect(apartment.create(Undecorated)).resolves.toBeDefined()
    await expect(apartment.create(5 as never)).rejects.toThrow(TypeError)
  })

  it('has a module that is a URL', () => {
    expect(() => ApartmentThreaded({ module: './x.js' })(class Wrong {})).toThrow(
      /is named by its URL: import.meta.url/,
    )
  })
})
