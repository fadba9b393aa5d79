import { type Apartment, type Remote, registerCodec, transfer } from '@flatshare/apartment'
import { byReference, FlatshareError, marshal, NotMarshalableError, registerError, unmarshal } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { type Crossing, gate } from '../apartments.js'
import { LedgerError, Money, Purse, Tip } from '../threads/crossing.js'
import { crossingOpener, type Opener } from './opener.js'

export function whatCrosses(open: Opener): void {
  const openCrossing = crossingOpener(open)

  let apartment: Apartment<Crossing>
  let other: Apartment<Crossing>
  let remote: any

  beforeAll(async () => {
    ;[apartment, other] = await Promise.all([openCrossing('home'), openCrossing('other')])
    remote = apartment.remote
  })
  afterAll(() => Promise.all([apartment.close(), other.close()]))

  describe('transfer', () => {
    it('moves what is listed, nested anywhere in an argument', async () => {
      const pixels = new Uint8Array(64).fill(1)
      expect(await remote.sum({ nested: [transfer({ pixels }, [pixels.buffer])] })).toBe(64)
      expect(pixels.byteLength).toBe(0)
      const whole = new Uint8Array(4).fill(2)
      const kept = new Uint8Array(4)
      expect(await remote.echo([transfer(whole), kept])).toEqual([new Uint8Array(4).fill(2), kept])
      expect([whole.byteLength, kept.byteLength]).toEqual([0, 4])
    })

    it('moves results', async () => {
      expect(await remote.make(1 << 16)).toHaveLength(1 << 16)
      expect(await remote.bytesLeft()).toBe(0)
    })

    it('moves message ports; without it they are refused with what to do', async () => {
      const { port1, port2 } = new MessageChannel()
      const heard = new Promise((resolve) => {
        port1.onmessage = ({ data }) => resolve(data)
      })
      if (open.sharesMemory) {
        await expect(remote.speak(port2, 'hello')).rejects.toThrow(/can't cross.*transfer\(port\)/)
        await remote.speak(transfer(port2), 'hello')
      } else {
        for (const port of [port2, transfer(port2)])
          await expect(remote.speak(port, 'hello')).rejects.toThrow(/speak\(\): an argument can't cross.* process/)
        port2.postMessage('hello')
      }
      expect(await heard).toBe('hello')
      port1.close()
    })

    it('moves one thing once: a second time it is refused, naming the place', async () => {
      const bytes = transfer(new Uint8Array(8))
      await remote.echo(bytes)
      await expect(remote.echo({ again: bytes })).rejects.toThrow(
        /echo\(\): an argument can't cross.*at 0\.again.*detached/,
      )
      const both = new Uint8Array(8)
      const [a, b] = await remote.echo([transfer({ both }, [both.buffer]), transfer({ both }, [both.buffer])])
      expect(a.both).toBe(b.both)
    })

    it('with a call that cannot be made moves nothing', async () => {
      const bytes = new Uint8Array(8)
      await expect(remote.echo([transfer(bytes), new WeakMap()])).rejects.toThrow(NotMarshalableError)
      expect(bytes.byteLength).toBe(8)
    })

    it('works by hand', () => {
      const bytes = new Uint8Array(8)
      const [packet, list] = marshal({ deep: transfer(bytes) })
      expect(list).toContain(bytes.buffer)
      packet[Symbol.dispose]()
    })

    it.each([
      [() => transfer(5 as never), /takes an object/],
      [() => transfer({}), /plain object/],
      [() => transfer({}, [new Uint8Array(1)]), /list its buffer/],
      [() => transfer(new SharedArrayBuffer(1)), /crosses as itself/],
      [() => transfer({}, [3 as never]), /number can't be transferred/],
      [() => transfer({}, {} as never), /takes a list/],
    ])('refuses at once what cannot be moved: %s', (attempt, message) => {
      expect(attempt).toThrow(TypeError)
      expect(attempt).toThrow(message)
    })
  })

  describe('registerCodec', () => {
    it('carries instances as instances, at any depth, both ways', async () => {
      const sum = await remote.addMoney(new Money(5, 'EUR'), { more: new Map([['x', new Money(6, 'EUR')]]) })
      expect(sum).toBeInstanceOf(Money)
      expect(sum.cents).toBe(11)
      const purse = await remote.purse()
      expect(purse).toBeInstanceOf(Purse)
      expect(purse.coins.map((coin: Money) => coin.cents)).toEqual([1, 2])
    })

    it('carries instances of a subclass as those of the nearest class that is registered', async () => {
      expect(await remote.kindOf(new Tip(1, 'EUR'))).toBe('Money')
    })

    it('keeps one instance one', async () => {
      const coin = new Money(1, 'EUR')
      const [a, { b }] = await remote.echo([coin, { b: coin }])
      expect(a).toBe(b)
    })

    it('leaves what is marked by reference to be called where it is', async () => {
      const here = byReference(new Money(7, 'EUR'))
      expect(await remote.echo(here)).toBe(here)
    })

    it('works by hand', () => {
      expect((unmarshal(marshal(new Money(3, 'EUR'))[0]) as Money).cents).toBe(3)
    })

    it('an instance that leads back to itself only outside of its codec is whole', async () => {
      class Node {
        constructor(
          public label: string,
          public links: unknown[],
        ) {}
      }
      registerCodec(Node, {
        name: 'Node',
        encode: ({ label, links }) => ({ label, links }),
        decode: ({ label, links }) => new Node(label, links),
      })
      const links: unknown[] = []
      links.push(new Node('a', links))
      const back = unmarshal(marshal(links)[0]) as unknown as [Node]
      expect(back[0]).toBeInstanceOf(Node)
      expect(back[0].links).toBe(back)
      const alone = new Node('b', [])
      alone.links.push(alone)
      expect(() => marshal(alone)).toThrow(/packed form contains the object itself/)
    })

    it('says which class the other thread does not know, and which codec throws', async () => {
      await remote.knowLocal()
      await expect(remote.local()).rejects.toThrow(/An instance of Local arrived.*registerCodec/)
      await expect(remote.fragile()).rejects.toThrow(/The codec of Fragile failed to encode an instance: broken/)
    })

    it('says so too where references come beside it, which arrive the next time', async () => {
      class Unknown {}
      registerCodec(Unknown, { name: 'Unknown', encode: () => 1, decode: () => new Unknown() })
      class Speaker {
        heard: string[] = []
        postMessage(text: string): void {
          this.heard.push(text)
        }
        close(): void {}
      }
      const speaker = byReference(new Speaker())
      await expect(remote.speak([new Unknown(), speaker], '')).rejects.toThrow(/An instance of Unknown arrived/)
      await remote.speak(speaker, 'hello')
      await remote.keepSignal(undefined)
      expect(speaker.heard).toEqual(['hello'])
    })

    it('refuses what is no class, what has a model, and names that are taken', () => {
      const codec = { name: 'Any', encode: () => 1, decode: () => ({}) as never }
      for (const none of [5, {}, () => {}, Object, Map])
        expect(() => registerCodec(none as never, codec)).toThrow(TypeError)
      for (const none of [undefined, {}, { ...codec, name: '' }, { ...codec, decode: 1 }]) {
        expect(() => registerCodec(class {}, none as never)).toThrow(TypeError)
      }
      expect(() => registerCodec(class {}, { ...codec, name: 'Money' })).toThrow(FlatshareError)
      const frozen = class {}
      Object.freeze(frozen.prototype)
      expect(() => registerCodec(frozen, { ...codec, name: 'Frozen' })).toThrow(/frozen/)
    })
  })

  describe('errors', () => {
    it('nest: causes, the errors of an AggregateError, and fields of classes with a codec', async () => {
      registerError(LedgerError)
      const error = await remote.throwNested().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(LedgerError)
      expect(error.at.cents).toBe(9)
      const [inner] = error.cause.errors
      expect(inner).toBeInstanceOf(AggregateError)
      expect(inner.message).toBe('several')
      expect(inner.errors.slice(1)).toEqual(['second', null])
      expect(inner.errors[0]).toBeInstanceOf(LedgerError)
      expect(inner.errors[0].at.cents).toBe(5)
      expect(error.stack).toMatch(/throwNested[\s\S]*--- on the thread "home" ---/)
    })

    it('that are none arrive as they were thrown, or as a clear error', async () => {
      await expect(remote.throwThis('null')).rejects.toBe(null)
      await expect(remote.throwThis('zero')).rejects.toBe(0)
      const object = await remote.throwThis('object').catch((thrown: unknown) => thrown)
      expect(object.deep[0]).toBeInstanceOf(Money)
      const fn = await remote.throwThis('function').catch((thrown: unknown) => thrown)
      expect(await fn(1)).toBe(2)
      await expect(remote.throwThis('symbol')).rejects.toThrow(/throwThis\(\): what it threw can't cross.*a symbol/)
      await expect(remote.throwThis('getter')).rejects.toThrow('told')
    })

    it('lose no more than the part that cannot cross', async () => {
      const shared = { kept: 1 }
      const bad = { shared, map: new WeakMap() }
      const error = Object.assign(new Error('x'), { bad, shared, list: [shared] })
      const [back, same] = await remote.echo([error, shared])
      expect(back.bad).toBeUndefined()
      expect(back.shared).toBe(same)
      expect(back.list).toEqual([{ kept: 1 }])
      const all = await remote.echo(new AggregateError([1, new WeakMap(), new RangeError('r')], 'all'))
      expect(all.errors[1]).toBeUndefined()
      expect(all.errors[2]).toBeInstanceOf(RangeError)
    })

    it('in a circle with what holds them arrive in that circle', async () => {
      const holder: { error?: unknown } = {}
      holder.error = Object.assign(new Error('round'), { holder })
      const back = await remote.echo(holder)
      expect(back.error).toBeInstanceOf(Error)
      expect(back.error.holder).toBe(back)
    })
  })

  describe('AbortSignal', () => {
    it('is live both ways, the same each time, and the original at home', async () => {
      const controller = new AbortController()
      await remote.keepSignal(controller.signal)
      expect(await remote.isSignal(controller.signal)).toBe(true)
      expect(await remote.signalBack()).toBe(controller.signal)
      const theirs = await remote.ownSignal()
      expect(await remote.ownSignal()).toBe(theirs)
      await (other.remote as any).keepSignal(theirs)
      const { open, opened } = gate()
      theirs.addEventListener('abort', open)
      await remote.abortOwn(new RangeError('enough'))
      await opened
      expect(theirs.reason).toBeInstanceOf(RangeError)
      while (!(await (other.remote as any).signalState())[0]);
    })

    it('gets one listener for all threads that listen, however many come and go', async () => {
      const { signal } = new AbortController()
      let listeners = 0
      const { addEventListener } = signal
      signal.addEventListener = (...args: any[]) => {
        listeners++
        return Reflect.apply(addEventListener, signal, args)
      }
      for (const name of ['one', 'two']) {
        await using doomed = await openCrossing(name)
        await doomed.remote.keepSignal(signal as never)
        await doomed.remote.signalState()
      }
      for (let i = 0; i < 50; i++) await remote.keepSignal(signal)
      await remote.signalState()
      expect(listeners).toBe(1)
    })
  })

  describe('what stands for something of the platform', () => {
    it('a URL and its parameters cross as themselves, at any depth and both ways', async () => {
      const url = new URL('https://example.org/a?b=1#c')
      const { links, parameters } = await remote.echo({ links: new Map([[url, [url]]]), parameters: url.searchParams })
      const [[key, [value]]] = [...links]
      expect(key).toBeInstanceOf(URL)
      expect(key.href).toBe(url.href)
      expect(value).toBe(key)
      expect(parameters).toBeInstanceOf(URLSearchParams)
      expect(parameters.get('b')).toBe('1')
      expectTypeOf<Remote<{ find(): URL; parts(): { query: URLSearchParams } }>['find']>().returns.toEqualTypeOf<
        Promise<URL>
      >()
      expectTypeOf<Awaited<ReturnType<Remote<{ parts(): { query: URLSearchParams } }>['parts']>>>().toEqualTypeOf<{
        query: URLSearchParams
      }>()
    })

    it('is refused where a copy would be empty, with what to send instead', async () => {
      await expect(remote.echo({ a: new Headers() })).rejects.toThrow(
        /echo\(\): an argument can't cross.*a Headers at 0\.a\. Send instead: its entries/,
      )
      for (const x of [new FormData(), new Response(), new Event('e'), new EventTarget(), new AbortController()]) {
        await expect(remote.echo(x)).rejects.toThrow(NotMarshalableError)
      }
    })

    it('is a copy of its fields where the class is a program’s own', async () => {
      class Emitter extends EventTarget {
        readonly x = 1
      }
      expect(await remote.echo(new Emitter())).toEqual({ x: 1 })
    })

    it('a result that cannot cross is said with its call', async () => {
      await expect(remote.unclonableResult()).rejects.toThrow(
        /^served\.unclonableResult\(\): its result can't cross.*WeakMap at a/,
      )
    })
  })
}
