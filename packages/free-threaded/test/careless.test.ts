// What a program gets that uses objects as they are not meant to be used.
import { inspect } from 'node:util'
import { marshal, NotMarshalableError, type Packet, unmarshal } from '@flatshare/core'
import {
  dispose,
  FreeThreaded,
  type FreeThreadedDescription,
  locked,
  ref,
  Shared,
  SharedMap,
  SharedQueue,
  SharedSet,
  SharedVector,
} from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { Account } from './classes.js'
import { adopted, Node } from './value-classes.js'

type AnyMap = new (options: object) => SharedMap<string, number>

const makeMap = () => new SharedMap({ key: 'string', value: 'f64' })

describe('methods of one class on objects of another', () => {
  const strings = () => new SharedVector({ of: 'string' }, ['a', 'b'])
  const others: [name: string, use: (object: any) => unknown][] = [
    ['SharedMap', (object) => SharedMap.prototype.get.call(object, 'a')],
    ['SharedSet', (object) => SharedSet.prototype.add.call(object, 'a')],
    ['SharedQueue', (object) => SharedQueue.prototype.tryPut.call(object, 'a')],
    ['SharedQueue', (object) => Reflect.get(SharedQueue.prototype, 'size', object)],
    ['SharedMap', (object) => SharedMap.prototype.getOrInsertAsync.call(object, 'a', () => 1)],
    ['SharedMap', (object) => Reflect.get(SharedMap.prototype, 'maxEntries', object)],
  ]

  test.each(others)('%s refuses them, and nothing is touched', async (name, use) => {
    const vector = strings()
    const account = adopted(new Account())
    for (const object of [vector, account]) {
      await expect(async () => use(object)).rejects.toThrow(`A method of ${name} was called on something that is no`)
    }
    expect([...vector]).toEqual(['a', 'b'])
    expect(account.balance).toBe(0)
  })

  test('a queue refuses what is no object', () => {
    for (const object of [undefined, null, 5])
      expect(() => SharedQueue.prototype.close.call(object as never)).toThrow(/no SharedQueue/)
  })
})

describe('classes that extend containers', () => {
  test('an undecorated one stays on its thread', () => {
    class Scores extends (SharedMap as unknown as AnyMap) {}
    const scores = new Scores({ key: 'string', value: 'f64' })
    expect(scores.set('ada', 1).get('ada')).toBe(1)
    expect(() => marshal(scores)).toThrow(/Scores extends SharedMap, and would arrive as a plain SharedMap/)
    const list = new SharedVector<object>({ of: SharedMap })
    expect(() => list.push(scores)).toThrow(/keep the SharedMap in a field instead/)
    expect(list.length).toBe(0)
  })

  test('a decorated one is refused: its fields would lie where the contents are', () => {
    class Named extends (SharedMap as unknown as AnyMap) {
      declare title: string
    }
    expect(() => FreeThreaded({ name: 'Named', shared: { title: 'string' } })(Named)).toThrow(
      /Named extends SharedMap, which has no room for fields/,
    )
  })
})

describe('descriptions', () => {
  const refused: [description: FreeThreadedDescription, message: RegExp][] = [
    [{ reads: ['descibe'] }, /reads of Described names descibe, and the class has no such member/],
    [{ optimistic: ['nope'] }, /optimistic of Described names nope/],
    [{ unlocked: ['nope'] }, /unlocked of Described names nope/],
    [{ guarded: { nope: 'stats' } }, /guarded of Described names nope/],
    [{ guarded: { describe: 5 as never } }, /Described\.describe is guarded by a name, such as 'stats', not 5/],
    [{ reads: 'describe' as never }, /reads of Described is a list of members/],
    [{ module: './described.js' }, /whole address, @FreeThreaded\(\{ module: import\.meta\.url \}\)/],
  ]

  test.each(refused)('%o is refused', (description, message) => {
    class Described {
      n = 0
      describe(): number {
        return this.n
      }
    }
    const decorate = FreeThreaded({ name: 'Described', shared: { n: 'f64' }, ...description })
    expect(() => decorate(Described)).toThrow(TypeError)
    expect(() => decorate(Described)).toThrow(message)
  })

  test('of fields and inherited members, by addresses and paths, they are taken', () => {
    class Parent {
      n = 0
      describe(): number {
        return this.n
      }
    }
    class Child extends Parent {}
    const guarded = { n: 'stats' }
    FreeThreaded({ name: 'Child', shared: { n: 'f64' }, guarded, reads: ['describe'], module: '/child.js' })(Child)
    expect(new Child().describe()).toBe(0)
  })

  test('what is no class is refused', () => {
    expect(() => FreeThreaded({ name: 'arrow' })((() => {}) as never)).toThrow(/decorates a class, and this is none/)
  })
})

describe('circles', () => {
  test('in JSON they are an error that names them', () => {
    const a = new Node('a')
    const b = new Node('b', a)
    a.next = b
    expect(() => JSON.stringify(adopted(a))).toThrow(
      /^Node → Node → Node: objects that refer to each other in a circle/,
    )
    a.next = null
    expect(JSON.stringify([a, b, a])).toBe(
      '[{"name":"a","next":null},{"name":"b","next":{"name":"a","next":null}},{"name":"a","next":null}]',
    )
  })

  test('also by way of containers', () => {
    class Tree {
      children: SharedVector<Tree | null, Tree | null> | null = null
      byName: SharedMap<string, Tree | null, Tree | null> | null = null
      parent: Tree | null = null
      adopt(child: Tree): void {
        this.children!.push(child)
        this.byName!.set('child', child)
      }
    }
    FreeThreaded({
      name: 'Tree',
      shared: { children: SharedVector, byName: SharedMap, parent: ref(() => Tree) },
    })(Tree)
    const [root, leaf] = [new Tree(), new Tree()]
    root.children = new SharedVector({ of: Tree })
    root.byName = new SharedMap({ key: 'string', value: Tree })
    root.adopt(leaf)
    const bare = { byName: null, children: null, parent: null }
    expect(JSON.parse(JSON.stringify(root))).toEqual({ byName: { child: bare }, children: [bare], parent: null })
    leaf.parent = root
    expect(() => JSON.stringify(root)).toThrow(/^Tree → Shared(Map|Vector) → Tree → Tree: objects/)
  })

  test('console.log marks them, and goes as deep as it is told', () => {
    const map = new SharedMap<string, object>({ key: 'string', value: SharedMap })
    map.set('self', map)
    expect(inspect(map)).toBe("SharedMap(1) { 'self' => [Circular] }")
    const vector = new SharedVector<object>({ of: SharedVector })
    vector.push(vector)
    expect(inspect(vector)).toBe('SharedVector(1) [ [Circular] ]')
    const queue = new SharedQueue<object>({ of: SharedQueue, capacity: 1, name: 'q' })
    queue.tryPut(queue)
    expect(inspect(queue)).toContain('[Circular]')
    queue.tryTake()
    let nested = new SharedMap<string, object>({ key: 'string', value: SharedMap })
    for (let i = 0; i < 4; i++) {
      nested = new SharedMap<string, object>({ key: 'string', value: SharedMap }, [['in', nested]])
    }
    expect(inspect(nested, { depth: 1 }).replace(/\s+/g, ' ')).toBe(
      "SharedMap(1) { 'in' => SharedMap(1) { 'in' => [SharedMap] } }",
    )
    map.clear()
    vector.clear()
  })
})

describe('and', () => {
  test('an object that was disposed of before its first use is as unusable as any other', () => {
    const account = new Account()
    dispose(account)
    dispose(account)
    expect(() => account.deposit(1)).toThrow(/disposed of/)
    expect(() => marshal(account)).toThrow(/disposed of/)
  })

  test('a packet whose reference is damaged is refused', () => {
    for (const body of [null, undefined, 5]) {
      const [packet] = marshal(new Account())
      const { refs } = packet as Packet<Account> & { refs: unknown[][] }
      refs[0]![2] = body
      expect(() => unmarshal(packet)).toThrow(NotMarshalableError)
    }
  })

  test('a key of the type f32 is found as it was given', () => {
    const map = new SharedMap({ key: 'f32', value: 'f64' }, [[0.1, 1]])
    map.set(0.1, 2).set(NaN, 3).set(-0, 4)
    expect([map.get(0.1), map.get(Math.fround(0.1)), map.get(NaN), map.get(0), map.size]).toEqual([2, 2, 3, 4, 3])
    expect([...map.keys()]).toEqual([Math.fround(0.1), NaN, 0])
    expect(new SharedSet({ of: 'f32' }, [0.1, 0.1, Math.fround(0.1)]).size).toBe(1)
    expect([makeMap().size, map.delete(0.1), map.has(0.1)]).toEqual([0, true, false])
  })
})

describe('values that say something else when they are asked again', () => {
  test('bytes whose length is not their own', () => {
    const map = new SharedMap({ key: 'string', value: 'bytes' })
    for (const length of [5, 1e6, NaN, -100, 2 ** 40]) {
      const bytes = Object.defineProperty(new Uint8Array(4000).fill(7), 'length', { value: length })
      expect(map.set('bytes', bytes).get('bytes')).toEqual(new Uint8Array(4000).fill(7))
    }
    class Other extends Uint8Array<SharedArrayBuffer> {
      static get [Symbol.species]() {
        return (() => new Uint8Array(100_000)) as never
      }
    }
    expect(map.set('bytes', new Other(new SharedArrayBuffer(10))).get('bytes')).toEqual(new Uint8Array(10))
    for (const fake of [Object.create(Uint8Array.prototype), new Proxy(new Uint8Array(4), {})]) {
      expect(() => map.set('bytes', fake as Uint8Array)).toThrow(/takes a Uint8Array/)
    }
  })

  test('numbers that come back to the vector', () => {
    const letters = () => new SharedVector({ of: 'string' }, ['a', 'b', 'c', 'd'])
    let vector = letters()
    const clearing = (value: number) => {
      const clear = () => {
        vector.clear()
        return value
      }
      return { valueOf: clear } as unknown as number
    }
    expect([vector.splice(0, clearing(4), 'n'), [...vector], vector.length]).toEqual([[], ['n'], 1])
    vector = letters()
    expect([vector.splice(clearing(3), 1, 'n'), [...vector]]).toEqual([[], ['n']])
    vector = letters()
    expect([...vector.fill('x', clearing(0))]).toEqual([])
    vector = letters()
    expect([vector.splice(-3, 2, 'x'), vector.splice(2), [...vector], vector.splice(1, undefined)]).toEqual([
      ['b', 'c'],
      ['d'],
      ['a', 'x'],
      [],
    ])
  })
})

describe('what stands in for an object', () => {
  test('a Proxy is refused, before and after the first method call, and nothing is lost', () => {
    const account = new Account()
    const proxy = new Proxy(account, {})
    expect(() => proxy.deposit(1)).toThrow(/A Proxy around a free-threaded Account is not that object/)
    expect(() => marshal(proxy)).toThrow(/A Proxy/)
    expect(account.deposit(7)).toBe(7)
    expect(() => proxy.deposit(1)).toThrow(/A Proxy/)
    expect(() => (proxy.balance = 1)).toThrow(/A Proxy/)
    expect(() => proxy.balance).toThrow(/A Proxy/)
    expect(account.balance).toBe(7)
  })

  test('Object.create of one is refused', () => {
    const account = adopted(new Account())
    const other = Object.create(account) as Account
    expect(() => other.deposit(1)).toThrow(/Object\.create of a free-threaded Account/)
    expect(() => marshal(other)).toThrow(/Object\.create/)
    expect(account.balance).toBe(0)
  })
})

test('a value that is refused in depth says in which field', () => {
  @FreeThreaded({ name: 'Tagged carelessly' })
  class Tagged {
    @Shared('json') tags: unknown = {}
    @Shared('json') more: unknown = {}
  }
  const refused =
    /^Tagged carelessly\.tags: A 'json' value can't be shared: it contains an instance of URL at deep\.link/
  const early = Object.assign(new Tagged(), { tags: { deep: { link: new URL('http://a.b') } } })
  expect(() => locked(early, () => 1)).toThrow(refused)
  const tagged = adopted(new Tagged())
  expect(() => (tagged.tags = { deep: { link: new URL('http://a.b') } })).toThrow(refused)
  expect(tagged.tags).toEqual({})
})

test('what is made with values that can’t be in it does not compile', () => {
  // @ts-expect-error
  expect(() => new SharedVector({ of: 'f64' }, ['a'])).toThrow(TypeError)
  // @ts-expect-error
  expect(() => new SharedSet({ of: 'bool' }, [1])).toThrow(TypeError)
  // @ts-expect-error
  expect(() => new SharedMap({ key: 'string', value: 'f64' }, [['a', 'b']])).toThrow(TypeError)
  // @ts-expect-error
  expect(new SharedVector<string>({ of: 'f64' }).length).toBe(0)
  expect(new SharedVector<string>({ of: 'string' }, ['a']).length).toBe(1)
  expect(new SharedMap<string, { a: number }>({ key: 'string', value: 'json' }, [['a', { a: 1 }]]).get('a')?.a).toBe(1)
})

test('what was frozen or sealed too early says so, and keeps its state', () => {
  for (const close of [Object.freeze, Object.seal]) {
    const account = close(Object.assign(new Account(), { balance: 5 }))
    if (Object.keys(account).length === 0) continue // compiled to assign: there is nothing to move
    expect(() => account.deposit(1)).toThrow(/can't move to shared memory, for the object was frozen or sealed/)
    expect(account.balance).toBe(5)
  }
  const fixed = Object.defineProperty(new Account(), 'balance', { value: 5, enumerable: true, configurable: false })
  expect(() => fixed.deposit(1)).toThrow(/Account\.balance can't move/)
  expect({ ...fixed }).toEqual({ ...new Account(), balance: 5 })
  const kept = adopted(Object.preventExtensions(Object.assign(new Account(), { balance: 3 })))
  expect(Object.freeze(kept).deposit(1)).toBe(4)
})
