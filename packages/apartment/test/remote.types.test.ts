import type {
  Apartment,
  AsItself,
  CrossesAsItself,
  crossesAsItself,
  Remote,
  RemoteFunction,
  RemoteModule,
} from '@flatshare/apartment'
import { describe, expectTypeOf, it } from 'vitest'
import type { Store } from './apartments.js'
import type { Account, Relay } from './threads/store.js'

/** Nothing here runs: the compiler is the test. */
function typesOf(_calls: () => unknown): void {
  expectTypeOf(_calls).toBeFunction()
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

interface Tree {
  name: string
  children: Tree[]
  parent?: Tree
  owner: Folder
}

interface Settings {
  theme: string
  nested: { depth: number }
}

/** Looks like an error, and is none. */
class Notice {
  name = ''
  message = ''
  show(): void {}
}

class CodedError extends Error {
  code = 1
  explain(): string {
    return ''
  }
}

class Ledger implements CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  total(): number {
    return 0
  }
}

class Receipt {
  text(): string {
    return ''
  }
}

/** Data with members that are never, or nothing but undefined or null. */
type Tried =
  | { readonly ok: true; readonly value: string; readonly error?: undefined }
  | { readonly ok: false; readonly value: undefined; readonly error: null; readonly more?: never }

class Folder {
  name = ''
  readonly size: number = 0
  readonly #children: Folder[] = []

  get parent(): Folder {
    return this
  }
  get tree(): Tree {
    return { name: '', children: [], owner: this }
  }
  get ledger(): Ledger {
    return new Ledger()
  }
  items(): string[] {
    return []
  }
  async later<T>(value: T): Promise<T> {
    return value
  }
  overloaded(x: string): Promise<string>
  overloaded(x: number): Promise<number>
  async overloaded(x: unknown): Promise<any> {
    return x
  }
  found(name: string): Folder
  found(index: number, deep: boolean): string
  found(...x: unknown[]): any {
    return x
  }
  open(name: string): Folder | undefined {
    return name ? this : undefined
  }
  list(): Folder[] {
    return this.#children
  }
  byName(): Map<string, Folder> {
    return new Map()
  }
  pair(): [Folder, number] {
    return [this, 1]
  }
  data(): { folder: Folder; count?: number } {
    return { folder: this }
  }
  settings(): Settings {
    return { theme: '', nested: { depth: 1 } }
  }
  json(x: Json): Json {
    return x
  }
  loose(x: any): { any: any; n: number } {
    return x
  }
  unknown(x: unknown): unknown {
    return x
  }
  tried(x: Tried): Tried {
    return x
  }
  fail(): never {
    throw new Error('fails')
  }
  when(): Date {
    return new Date()
  }
  error(): CodedError {
    return new CodedError()
  }
  notice(): Notice {
    return new Notice()
  }
  stream(): ReadableStream<string> {
    return new ReadableStream()
  }
  add(folder: Folder, tags?: string[]): void {
    folder.add(this, tags)
  }
  addAll(_folders: Folder[], _more: { first: Folder; deep: Map<string, Folder> }): void {}
  onChange(listener: (count: number) => void): () => boolean {
    listener(0)
    return () => true
  }
  onFolder(_listener: (folder: Folder) => void): void {}
  reduce(fn: (a: number, b: number) => number): number {
    return fn(1, 2)
  }
  ask(_other: Remote<Relay>, _fn: RemoteFunction<(x: number) => string>): void {}
  async *messages(from: number): AsyncGenerator<string> {
    yield String(from)
  }
  async *folders(): AsyncGenerator<Folder> {
    yield this
  }
  *sizes(): Generator<number> {
    yield 1
  }
  some(): Iterable<number> {
    return [1]
  }
  entries(): AsyncIterable<[string, Folder]> {
    return this as never
  }
  symbol(x: symbol): symbol {
    return x
  }
  promise(_x: Promise<number>): void {}
  klass(_Class: typeof Folder): void {}
  weak(_x: { deep: WeakMap<object, number> }): WeakMap<object, number> {
    return new WeakMap()
  }
  book(ledger: Ledger): Ledger {
    return ledger
  }
  receipt(x: AsItself<Receipt>): AsItself<Receipt> {
    return x
  }
  toJSON(): string {
    return ''
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

class Box implements Iterable<Folder> {
  size(): number {
    return 0
  }
  *[Symbol.iterator](): Generator<Folder> {
    yield new Folder()
  }
}

declare const apartment: Apartment<Store>
declare const account: Remote<Account>
declare const relay: Remote<Relay>
declare const folder: Remote<Folder>
declare const box: Remote<Box>

describe('Remote<T>', () => {
  it('gives promises for what is synchronous', () => {
    typesOf(() => {
      expectTypeOf(folder.items()).toEqualTypeOf<Promise<string[]>>()
      expectTypeOf(folder.when()).toEqualTypeOf<Promise<Date>>()
      expectTypeOf(folder.size).toEqualTypeOf<Promise<number>>()
      expectTypeOf(folder.json(1)).toEqualTypeOf<Promise<Json>>()
      expectTypeOf(folder.loose(1)).toEqualTypeOf<Promise<{ any: any; n: number }>>()
      expectTypeOf(folder.unknown(1)).toEqualTypeOf<Promise<unknown>>()
      expectTypeOf(folder.fail()).toEqualTypeOf<Promise<never>>()
      expectTypeOf(account.deposit(1)).toEqualTypeOf<Promise<number>>()
    })
  })

  it('leaves whole the signatures of what gives a promise or an iterator', () => {
    typesOf(() => {
      expectTypeOf(folder.later).toEqualTypeOf<<T>(value: T) => Promise<T>>()
      expectTypeOf(folder.overloaded('x')).toEqualTypeOf<Promise<string>>()
      expectTypeOf(folder.overloaded(1)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(folder.messages).toEqualTypeOf<(from: number) => AsyncGenerator<string>>()
    })
  })

  it('keeps the overloads of a synchronous method', () => {
    typesOf(() => {
      expectTypeOf(folder.found('x')).toEqualTypeOf<Promise<Remote<Folder>>>()
      expectTypeOf(folder.found(1, true)).toEqualTypeOf<Promise<string>>()
      // @ts-expect-error no such overload
      void folder.found(1)
    })
  })

  it('gives proxies for objects with methods, at any depth of data', () => {
    typesOf(async () => {
      expectTypeOf(folder.open('x')).toEqualTypeOf<Promise<Remote<Folder> | undefined>>()
      expectTypeOf(folder.parent).toEqualTypeOf<Promise<Remote<Folder>>>()
      expectTypeOf(folder.list()).toEqualTypeOf<Promise<Remote<Folder>[]>>()
      expectTypeOf(folder.byName()).toEqualTypeOf<Promise<Map<string, Remote<Folder>>>>()
      expectTypeOf(folder.pair()).toEqualTypeOf<Promise<[Remote<Folder>, number]>>()
      expectTypeOf(folder.data()).toEqualTypeOf<Promise<{ folder: Remote<Folder>; count?: number }>>()
      expectTypeOf((await folder.tree).owner).toEqualTypeOf<Remote<Folder>>()
      expectTypeOf((await folder.tree).children[0]!.owner).toEqualTypeOf<Remote<Folder>>()
      expectTypeOf(folder.notice()).toEqualTypeOf<Promise<Remote<Notice>>>()
      expectTypeOf(account.itself()).toEqualTypeOf<Promise<Remote<Account>>>()
      expectTypeOf<Remote<Remote<Folder>>>().toEqualTypeOf<Remote<Folder>>()
    })
  })

  it('gives data, errors, streams and what crosses as itself as what they are', () => {
    typesOf(async () => {
      expectTypeOf(folder.settings()).toEqualTypeOf<Promise<Settings>>()
      expectTypeOf(folder.tried({ ok: true, value: '' })).toEqualTypeOf<Promise<Tried>>()
      expectTypeOf(folder.error()).toEqualTypeOf<Promise<CodedError>>()
      expectTypeOf(folder.stream()).toEqualTypeOf<Promise<ReadableStream<string>>>()
      expectTypeOf(folder.book(new Ledger())).toEqualTypeOf<Promise<Ledger>>()
      expectTypeOf(folder.ledger).toEqualTypeOf<Promise<Ledger>>()
      expectTypeOf((await folder.receipt(new Receipt())).text()).toEqualTypeOf<string>()
    })
  })

  it('takes proxies where objects are wanted, and objects where proxies are', () => {
    typesOf(() => {
      void folder.add(folder)
      void folder.add(new Folder(), ['tag'])
      void folder.addAll([folder, new Folder()], { first: folder, deep: new Map([['x', folder]]) })
      void folder.addAll([new Folder()], { first: new Folder(), deep: new Map([['x', new Folder()]]) })
      void relay.forward(account, 1)
      void folder.ask(relay, (x) => x.toFixed())
      // @ts-expect-error a string is no folder
      void folder.add('folder')
      // @ts-expect-error a box is no folder
      void folder.addAll([box], { first: folder, deep: new Map() })
      // @ts-expect-error a folder is no relay
      void folder.ask(folder, (x) => x.toFixed())
    })
  })

  it('infers the parameters of methods and functions that are given', () => {
    interface Sink {
      onNotify(batch: readonly { event: string; call: (x: number) => unknown }[]): unknown
    }
    interface Source {
      advise(events: string, sink: Sink | ((batch: readonly { event: string }[]) => unknown), options?: object): number
    }
    const source = {} as Remote<Source>
    const sink = {} as Remote<Sink>
    typesOf(async () => {
      await source.advise('a', { onNotify: (batch) => batch[0]!.event.length })
      await source.advise('a', {
        onNotify(batch) {
          return batch.length
        },
      })
      await source.advise('a', (batch) => batch[0]!.event)
      await source.advise('a', sink)
    })
  })

  it('gives and takes functions, which are called from afar', () => {
    typesOf(async () => {
      const stop = await folder.onChange((count) => expectTypeOf(count).toEqualTypeOf<number>())
      expectTypeOf(stop()).toEqualTypeOf<Promise<boolean>>()
      void folder.onFolder((arrived) => expectTypeOf(arrived).toEqualTypeOf<Remote<Folder>>())
      void folder.reduce((a, b) => a + b)
      void folder.reduce(async (a, b) => a + b)
      // @ts-expect-error it shall give a number
      void folder.reduce(async (a, b) => `${a}${b}`)
    })
  })

  it('iterates what is iterable', () => {
    typesOf(async () => {
      for await (const x of folder.messages(1)) expectTypeOf(x).toEqualTypeOf<string>()
      // eslint-disable-next-line @typescript-eslint/await-thenable -- that is the test
      for await (const x of await folder.messages(1)) expectTypeOf(x).toEqualTypeOf<string>()
      for await (const x of folder.folders()) expectTypeOf(x).toEqualTypeOf<Remote<Folder>>()
      for await (const x of folder.sizes()) expectTypeOf(x).toEqualTypeOf<number>()
      for await (const x of folder.some()) expectTypeOf(x).toEqualTypeOf<number>()
      for await (const x of await folder.some()) expectTypeOf(x).toEqualTypeOf<number>()
      for await (const x of folder.entries()) expectTypeOf(x).toEqualTypeOf<[string, Remote<Folder>]>()
      for await (const x of box) expectTypeOf(x).toEqualTypeOf<Remote<Folder>>()
    })
  })

  it('refuses what can not cross', () => {
    typesOf(() => {
      // @ts-expect-error a symbol
      void folder.symbol(Symbol('s'))
      // @ts-expect-error a promise
      void folder.promise(Promise.resolve(1))
      // @ts-expect-error a class
      void folder.klass(Folder)
      // @ts-expect-error a weak map, inside
      void folder.weak({ deep: new WeakMap() })
      expectTypeOf<ReturnType<typeof folder.weak>>().toEqualTypeOf<Promise<never>>()
      expectTypeOf<ReturnType<typeof folder.symbol>>().toEqualTypeOf<Promise<never>>()
    })
  })

  it('takes no assignment and knows no other members', () => {
    typesOf(() => {
      // @ts-expect-error read-only
      folder.size = 4
      // @ts-expect-error no such method
      void folder.nothing()
      // @ts-expect-error no such method
      void folder.then()
      // @ts-expect-error the proxy says what it is by itself
      void folder.toJSON()
    })
  })

  it('can be let go, and closed where the object can', () => {
    typesOf(async () => {
      expectTypeOf(relay).toExtend<Disposable>()
      expectTypeOf(folder).toExtend<AsyncDisposable>()
      // @ts-expect-error a relay has nothing to close
      void relay[Symbol.asyncDispose]
    })
  })
})

describe('Apartment<M>', () => {
  it('knows the classes of its module and their constructors', () => {
    typesOf(async () => {
      expectTypeOf(await apartment.create('Account', 5)).toEqualTypeOf<Remote<Account>>()
      expectTypeOf(await apartment.create('Account')).toEqualTypeOf<Remote<Account>>()
      expectTypeOf(await apartment.create(Folder)).toEqualTypeOf<Remote<Folder>>()
      // @ts-expect-error no such class
      await apartment.create('Acount')
      // @ts-expect-error a function is no class
      await apartment.create('resize')
      // @ts-expect-error the constructor takes a number
      await apartment.create('Account', 'five')
    })
  })

  it('has functions and objects, not classes, on remote', () => {
    typesOf(async () => {
      expectTypeOf(await apartment.remote.resize(1, (x) => x)).toEqualTypeOf<number>()
      expectTypeOf(await (await apartment.remote.settings).theme).toEqualTypeOf<string>()
      expectTypeOf(await (await apartment.remote.settings).double(1)).toEqualTypeOf<number>()
      expectTypeOf(await apartment.remote.opened).toEqualTypeOf<Date>()
      // @ts-expect-error classes are created
      apartment.remote.Account
    })
  })

  it('is loose where its module is not known', () => {
    typesOf(async () => {
      const loose = apartment as Apartment
      const api = loose.remote as RemoteModule<any>
      await (await loose.create('Anything', 1, 2)).whatever()
      await loose.remote.anything(1)
      await api.anything(1)
    })
  })
})
