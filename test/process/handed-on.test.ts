/** What a process is given that lives on a third thread. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Apartment, byReference, callWith, DisconnectedError } from 'flatshare'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { closedLater, module, openProcess, type Served } from './opened.js'

let far: Apartment<Served>
let remote: any

beforeAll(async () => {
  far = await openProcess('far')
  remote = far.remote
})

describe('a reference to a third thread', () => {
  it('is called by way of the thread that handed it on, and is that proxy where it comes back', async () => {
    const worker = await Apartment.open<Served>(module, { name: 'worker' })
    closedLater(worker)
    const counter = await worker.create('Counter')
    expect(await remote.add(counter, 3)).toBe(3)
    expect(await counter.add(1)).toBe(4)
    await remote.keep(counter)
    expect(await remote.kept()).toBe(counter)
    expect(await remote.models(counter)).toEqual(['apartment', expect.objectContaining({ thread: 'worker' })])
    await expect(remote.fails(counter)).rejects.toBeInstanceOf(TypeError)
  })

  it('of another process reaches threads of this one, and other processes', async () => {
    const counter = await (far as any).create('Counter')
    const worker = await Apartment.open<Served>(module, { name: 'worker' })
    const third = await openProcess('third')
    closedLater(worker)
    expect(await (worker.remote as any).add(counter, 3)).toBe(3)
    expect(await (third.remote as any).add(counter, 4)).toBe(7)
    expect(await (third.remote as any).models(counter)).toEqual([
      'apartment',
      expect.objectContaining({ thread: 'far', pid: await remote.pid() }),
    ])
    expect(await (worker.remote as any).kept()).toBeUndefined()
    await (third.remote as any).keep(counter)
    expect(await (third.remote as any).kept()).toBe(counter)
  })

  it('says to threads of this process, too, where the object lives', async () => {
    const counter = await (far as any).create('Counter')
    const worker = await Apartment.open<Served>(module, { name: 'worker' })
    closedLater(worker)
    expect(await (worker.remote as any).models(counter)).toEqual([
      'apartment',
      expect.objectContaining({ thread: 'far', pid: await remote.pid(), isHere: false }),
    ])
  })

  it('S8 is the same proxy as that which came directly', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flatshare-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'socket')
    const third = await openProcess('with a link of its own')
    const counter = await (far as any).create('Counter')
    await remote.keep(counter)
    await remote.listenAt(path)
    await (third.remote as any).keepFrom(path)
    // By way of this process.
    expect(await (third.remote as any).same(counter)).toBe(true)
    expect(await (third.remote as any).add(counter, 5)).toBe(5)
    expect(await (third.remote as any).kept()).toBe(counter)
  })

  it('S8 is the same proxy as that which comes directly later, and is called directly from then on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flatshare-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'socket')
    const source = await openProcess('of the object')
    const third = await openProcess('with a link of its own, later')
    const counter = await (source as any).create('Counter')
    await (source.remote as any).keep(counter)
    await (source.remote as any).listenAt(path)
    // By way of this process.
    await (third.remote as any).keep(counter)
    expect(await (third.remote as any).isWhatIsKeptAt(path)).toBe(true)
    expect(await (third.remote as any).add(counter, 2)).toBe(2)
    expect(await (third.remote as any).kept()).toBe(counter)
  })

  it('S8 is the object itself where it comes back by another way', async () => {
    const worker = await Apartment.open<Served>(module, { name: 'worker' })
    closedLater(worker)
    const counter = await worker.create('Counter')
    const back = await (worker.remote as any).kept()
    expect(back).toBeUndefined()
    await (worker.remote as any).keep(counter)
    await remote.keep(counter)
    expect(await (worker.remote as any).same(await remote.kept())).toBe(true)
  })

  it('S14 passes on the deadline of its caller', async () => {
    const third = await openProcess('fourth')
    const asked = byReference({ deadline: () => (third.remote as any).myDeadline() })
    const deadline = await (callWith(remote, { timeout: 60_000 }) as any).deadlineOf(asked)
    expect(deadline - Date.now()).toBeLessThanOrEqual(60_000)
    expect(deadline - Date.now()).toBeGreaterThan(30_000)
  })
})

describe('what is handed on from one process to another', () => {
  let third: any
  beforeAll(async () => {
    third = (await openProcess('next')).remote
  })

  it('is iterated where it is, and ended there', async () => {
    expect(await third.collect(remote.count(300))).toEqual(Array.from({ length: 300 }, (_, i) => i))
    let ended!: () => void
    const end = new Promise<void>((resolve) => {
      ended = resolve
    })
    expect(await third.collect(remote.count(1_000_000, ended), 5)).toEqual([0, 1, 2, 3, 4])
    await end
  })

  it('streams, both ways', async () => {
    expect(await third.collect(await remote.letters())).toEqual(['a', 'b', 'c'])
    await third.write(await remote.sink())
    expect(await remote.whatWasWritten()).toBe('xyz')
  })

  it('is called, with functions of a third one, and calls them back', async () => {
    const triple = await third.multiplier(3)
    expect(await remote.apply(triple, 5)).toBe(15)
    expect(await third.apply(triple, 5)).toBe(15)
    const calls: string[] = []
    const result = await remote.compose(
      (inner: () => unknown) => third.compose(inner, () => 'never called'),
      () => {
        calls.push('here')
        return remote.apply(triple, 7)
      },
    )
    expect([result, calls]).toEqual([21, ['here']])
  })

  it('S37 is a signal that fires in each', async () => {
    const abort = new AbortController()
    const one = remote.whenAborted(abort.signal)
    const other = third.whenAborted(abort.signal)
    await remote.name()
    await third.name()
    abort.abort('enough')
    expect(await Promise.all([one, other])).toEqual(['enough', 'enough'])
  })

  it('S14 is given up there, too', async () => {
    const abort = new AbortController()
    let told!: (reason: unknown) => void
    const reason = new Promise((resolve) => {
      told = resolve
    })
    await new Promise<void>((resolve, reject) => {
      const call = async () => {
        const waits = await third.waiter(resolve, told)
        await (callWith(remote, { signal: abort.signal }) as any).applyWhileWanted(waits)
      }
      call().catch(reject)
    })
    abort.abort('not wanted')
    expect(await reason).toBe('not wanted')
  })

  it('S13 is gone with the process from which it came, and with the one by which it goes', async () => {
    const between = await openProcess('between')
    const triple = await (between.remote as any).multiplier(3)
    await third.keep(triple)
    const waiting = third.apply(byReference(() => (between.remote as any).never()))
    const lost = expect(waiting).rejects.toBeInstanceOf(DisconnectedError)
    await between.terminate()
    await lost
    await expect(third.apply(triple, 1)).rejects.toBeInstanceOf(DisconnectedError)
    expect(await third.name()).toBe('next')
  })
})
