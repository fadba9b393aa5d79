import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  type Apartment,
  blocking,
  callWith,
  objectTable,
  type Remote,
  release,
  SingleThreaded,
} from '@flatshare/apartment'
import { DisconnectedError, FlatshareError, WrongThreadError } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, collected, collectionOf } from '../threads/collecting.js'
import type { Counter } from '../threads/registering.js'
import type { Opener } from './opener.js'

type Registering = typeof import('../threads/registering.js')

const caught = async (promise: PromiseLike<unknown>): Promise<any> => {
  try {
    return { gave: await promise }
  } catch (error) {
    return error
  }
}

/** An apartment that has ended, and of whose end every thread knows. */
async function end(apartment: Apartment<Registering>): Promise<void> {
  await apartment.terminate()
  await settleExits()
}

export function objectTableTests(opener: Opener): void {
  const open = (name: string) => opener<Registering>(new URL('../threads/registering.js', import.meta.url), { name })

  let one: Apartment<Registering>
  let other: Apartment<Registering>

  beforeAll(async () => {
    ;[one, other] = await Promise.all([open('one'), open('other')])
  })
  afterAll(() => Promise.all([one.close(), other.close()]))

  describe('S10 the global object table', () => {
    it('gives an object on any thread, many times, as the same proxy each time', async () => {
      await one.remote.register('counter')
      const here = await objectTable.get<Remote<Counter>>('counter')
      expect(await here.next()).toBe(1)
      expect(await other.remote.nextOf('counter')).toBe(2)
      expect(await one.remote.nextOf('counter')).toBe(3)
      expect(await objectTable.get('counter')).toBe(here)
      expect(await here.home()).toBe(one.threadId)
      for (const { remote } of [one, other]) expect(await remote.sameEachTime('counter')).toBe(true)
    })

    it('gives the object itself where it was registered, and to whom it comes home', async () => {
      await one.remote.register('at home')
      expect(await one.remote.isOwn('at home')).toBe(true)
      const remote = await objectTable.get<Remote<Counter>>('at home')
      expect(await remote.isItself(remote)).toBe(true)
      const mine = { answer: () => 42 }
      objectTable.register('mine', mine)
      expect(await objectTable.get('mine')).toBe(mine)
    })

    it('reaches objects of this thread from others: undecorated ones and functions too', async () => {
      let n = 0
      objectTable.register('function object', { next: () => ++n })
      expect(await one.remote.nextOf('function object')).toBe(1)
      expect(await other.remote.nextOf('function object')).toBe(2)
      const double = (x: number) => x * 2
      objectTable.register('function', double)
      expect(await objectTable.get('function')).toBe(double)
      expect(await one.remote.sameEachTime('function')).toBe(true)
    })

    it('has names, in the order of registering, on every thread', async () => {
      objectTable.register('A', () => {})
      await one.remote.register('B')
      await other.remote.register('C ä \u{1f600}')
      objectTable.register('D', () => {})
      const wanted = ['A', 'B', 'C ä \u{1f600}', 'D']
      const named = (names: string[]) => names.filter((name) => /^[A-D]( ä .*)?$/u.test(name))
      expect(named(objectTable.names())).toEqual(wanted)
      expect(named(await other.remote.names())).toEqual(wanted)
      expect(await one.remote.has('C ä \u{1f600}')).toBe(true)
      expect(objectTable.has('C')).toBe(false)
    })

    it('refuses a name that is taken, saying by whom, until it is revoked', async () => {
      const registration = objectTable.register('taken', () => {})
      expect(registration.name).toBe('taken')
      expect(() => objectTable.register('taken', () => {})).toThrow(/"taken" is taken .* by an object of this thread/)
      await expect(one.remote.register('taken')).rejects.toThrow(/by an object of the thread "main"/)
      registration.revoke()
      await one.remote.register('taken')
      // Its name belongs to somebody else by now.
      registration.revoke()
      expect(objectTable.has('taken')).toBe(true)
      expect(() => objectTable.register('taken', () => {})).toThrow(/of the thread "one"/)
    })

    it('ends an entry with `using`', () => {
      {
        using registration = objectTable.register('scoped', () => {})
        expect(objectTable.has(registration.name)).toBe(true)
      }
      expect(objectTable.has('scoped')).toBe(false)
    })

    it('has registrations that cross; their bearers revoke', async () => {
      const registration = objectTable.register('revoked there', () => {})
      await one.remote.revoke(registration)
      expect(objectTable.has('revoked there')).toBe(false)
      const theirs = (await one.remote.register('revoked here')) as Remote<{ readonly name: string; revoke(): void }>
      expect(await theirs.name).toBe('revoked here')
      const held = await objectTable.get<Remote<Counter>>('revoked here')
      await other.remote.revoke(theirs)
      await theirs.revoke()
      expect(objectTable.has('revoked here')).toBe(false)
      // What was got before stays.
      expect(await held.next()).toBe(1)
    })

    it('fails clearly for an unknown name, naming similar ones', async () => {
      await one.remote.register('Inbox')
      const error = await caught(objectTable.get('inbx'))
      expect(error).toBeInstanceOf(FlatshareError)
      expect(error.message).toMatch(/No object is registered as "inbx" .*; similar names are "Inbox"/)
      expect((await caught(objectTable.get('x'.repeat(5000)))).message).toMatch(/; it has \d+ entries/)
      expect((await caught(one.remote.nextOf('no such thing'))).message).toMatch(/No object is registered/)
    })

    it('refuses what is no name, and what no other thread could use', async () => {
      @SingleThreaded()
      class Window {}
      for (const name of ['', 1, undefined, null]) {
        expect(() => objectTable.register(name as string, () => {})).toThrow(/name .* is a text/)
        expect(() => objectTable.has(name as string)).toThrow(TypeError)
        await expect(objectTable.get(name as string)).rejects.toThrow(TypeError)
      }
      for (const object of [1, 'text', null, undefined, Symbol('s')]) {
        expect(() => objectTable.register('wrong', object as never)).toThrow(/takes an object or a function/)
      }
      expect(() => objectTable.register('wrong', Window)).toThrow(/class Window can't be registered/)
      expect(() => objectTable.register('wrong', new Window())).toThrow(WrongThreadError)
      await expect(objectTable.get('wrong', { timeout: -1 })).rejects.toThrow(RangeError)
      expect(objectTable.has('wrong')).toBe(false)
    })

    it('keeps what is registered, unless weakly', async () => {
      await one.remote.register('kept')
      await one.remote.registerWeak('weak')
      expect(await other.remote.nextOf('kept')).toBe(1)
      await one.remote.collectWeak()
      const error = await caught(objectTable.get('weak'))
      expect(error.message).toMatch(/No object is registered as "weak"/)
      await one.remote.collect()
      expect(await other.remote.nextOf('kept')).toBe(2)
      // The name is free, at its home and elsewhere.
      expect(objectTable.has('weak')).toBe(false)
      objectTable.register('weak', () => {})
    })

    it('gives weak entries as long as somebody keeps the object', async () => {
      await one.remote.register('weak, kept', { weak: true, keep: true })
      await one.remote.collect()
      expect(await other.remote.nextOf('weak, kept')).toBe(1)
    })

    it('lets go of an object that was revoked, once its proxies are released', async () => {
      await (async () => {
        const object = { next: () => 1 }
        collectionOf(object)
        const registration = objectTable.register('let go', object)
        expect(await one.remote.nextOf('let go')).toBe(1)
        registration.revoke()
      })()
      while (!collected()) {
        await one.remote.collect()
        await collect()
      }
    })

    it('hands on proxies: who gets one talks to its home, and the entry ends with who registered it', async () => {
      const counter = await one.create('Counter')
      const doomed = await open('doomed')
      await doomed.remote.registerProxy('handed on', counter)
      expect(await other.remote.nextOf('handed on')).toBe(1)
      expect(await one.remote.isOwn('handed on')).toBe(true)
      expect(await objectTable.get('handed on')).toBe(counter)
      const got = await objectTable.get<Remote<Counter>>('handed on')
      await end(doomed)
      expect(objectTable.has('handed on')).toBe(false)
      expect(await got.next()).toBe(2)
      objectTable.register('released', counter)
      release(counter)
      expect(await caught(other.remote.nextOf('released'))).toBeInstanceOf(DisconnectedError)
    })
  })

  describe('S10 a thread that ends', () => {
    it('takes its entries with it, and `get` fails clearly', async () => {
      const doomed = await open('doomed')
      await doomed.remote.register('doomed')
      const got = await objectTable.get<Remote<Counter>>('doomed')
      expect(await got.next()).toBe(1)
      await end(doomed)
      expect(objectTable.has('doomed')).toBe(false)
      expect(objectTable.names()).not.toContain('doomed')
      expect((await caught(objectTable.get('doomed'))).message).toMatch(/No object is registered as "doomed"/)
      expect((await caught(got.next())).mayHaveRun).toBe(false)
      await other.remote.register('doomed')
      expect(await one.remote.nextOf('doomed')).toBe(1)
    })

    it('while it is asked: `get` rejects', async () => {
      const doomed = await open('doomed')
      await doomed.remote.register('asked')
      const memory = new SharedArrayBuffer(8)
      const blocked = caught(doomed.remote.block(memory))
      await (Atomics as any).waitAsync(new Int32Array(memory), 1, 0).value
      const [here, there] = [caught(objectTable.get('asked')), caught(other.remote.nextOf('asked'))]
      await one.remote.collect()
      await doomed.terminate()
      for (const error of [await here, await there]) {
        expect(error).toBeInstanceOf(DisconnectedError)
        expect(error.message).toContain('"doomed"')
      }
      expect(await blocked).toBeInstanceOf(DisconnectedError)
    })

    it('inside the table’s lock: others go on', async () => {
      const doomed = await open('doomed')
      await doomed.remote.register('inside')
      expect(await caught(doomed.remote.exitInside())).toBeInstanceOf(DisconnectedError)
      expect(objectTable.has('inside')).toBe(false)
      await one.remote.register('inside')
      expect(await other.remote.nextOf('inside')).toBe(1)
    })

    it('at any moment while others register and get: all settle, and the table stays whole', async () => {
      let seed = 7
      const next = (below: number) => ((seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) >> 8) % below
      for (let round = 0; round < 8; round++) {
        const doomed = await open('doomed')
        const pending: Array<Promise<unknown>> = []
        const die = next(20)
        for (let i = 0; i < 20; i++) {
          if (i === die) pending.push(next(2) ? doomed.terminate() : caught(doomed.remote.exit()))
          const who = [one, other, doomed][next(3)]!
          const name = `${round}/${next(6)}`
          pending.push(caught(next(2) ? who.remote.register(name) : who.remote.nextOf(name)))
          if (next(3) === 0)
            pending.push(caught(objectTable.get<Remote<Counter>>(name).then((counter) => counter.next())))
          if (next(4) === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        for (const result of await Promise.all(pending)) {
          if (result instanceof Error) expect(result).toBeInstanceOf(FlatshareError)
        }
        await end(doomed)
        for (const name of objectTable.names())
          if (name.startsWith(`${round}/`)) expect(await other.remote.has(name)).toBe(true)
      }
    })
  })

  describe('blocked threads', () => {
    it('the main one isn’t needed: two others find each other', async () => {
      await one.remote.register('while main blocks')
      const memory = new SharedArrayBuffer(8)
      const cells = new Int32Array(memory)
      const third = await open('third')
      await third.remote.whenTold(memory, 'while main blocks')
      Atomics.store(cells, 0, 1)
      Atomics.notify(cells, 0)
      expect(Atomics.wait(cells, 1, 0, 20_000)).toBe('ok')
      expect(cells[1]).toBe(1)
      await third.close()
    })

    it('in a blocking call are met by threads that they have never seen, and give what they registered', async () => {
      const counter = { n: 0, next: () => ++counter.n }
      objectTable.register('of a blocked main', counter)
      // main → one → nested → main: a new link, made while this thread blocks.
      expect(blocking(callWith(one.remote, { timeout: 20_000 })).nextOverNested('of a blocked main')).toBe(1)
      // Off the path of the blocked call: what is asked runs no code of users.
      const memory = new SharedArrayBuffer(8)
      const third = await open('third')
      await third.remote.getMeanwhile(memory, 'of a blocked main')
      blocking(callWith(one.remote, { timeout: 20_000 })).block(memory)
      expect(new Int32Array(memory)[0]).toBe(1)
      await third.close()
    })

    it('that have registered what is asked for: `get` has a deadline, a signal, and says what is the matter', async () => {
      const busy = await open('busy')
      await busy.remote.register('busy')
      const memory = new SharedArrayBuffer(8)
      const cells = new Int32Array(memory)
      const blocked = busy.remote.block(memory)
      await (Atomics as any).waitAsync(cells, 1, 0).value
      const error = await caught(objectTable.get('busy', { timeout: 20 }))
      expect(error.cause ?? error).toMatchObject({ name: 'TimeoutError' })
      const controller = new AbortController()
      const asked = caught(objectTable.get('busy', { signal: controller.signal }))
      controller.abort('enough')
      expect(await asked).toBe('enough')
      expect(await caught(objectTable.get('busy', { signal: controller.signal }))).toBe('enough')
      Atomics.store(cells, 0, 1)
      Atomics.notify(cells, 0)
      await blocked
      // Nothing that was asked is lost.
      expect(await (await objectTable.get<Remote<Counter>>('busy')).next()).toBe(1)
      await busy.close()
    })
  })

  describe('a program', () => {
    it('that uses it ends when its work is done', async () => {
      const program = fileURLToPath(new URL('../threads/table-program.js', import.meta.url))
      const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 25_000 })
      expect(stdout.split('\n')).toEqual(['1 2', 'listener', ''])
    })
  })
}
