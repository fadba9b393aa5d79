import { inspect } from 'node:util'
import { FlatshareError, marshal, type Packet, unmarshal } from '@flatshare/core'
import { declareModel } from '@flatshare/core/internal'
import { FreeThreaded, ref, Shared, SharedMap } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { startThread } from './thread.js'
import { adopted, Holder, Node, SpecialNode } from './value-classes.js'

describe('on this thread', () => {
  test('what goes in comes out, null and the object itself too', () => {
    const holder = adopted(new Holder())
    expect([holder.node, holder.self]).toEqual([null, null])
    const node = new Node('n')
    holder.node = node
    holder.self = holder
    expect(holder.node).toBe(node)
    expect(holder.self).toBe(holder)
    holder.node = null
    expect(holder.node).toBeNull()
  })

  test('objects that the constructor refers to are adopted with it, in a circle too', () => {
    const [a, b, c] = [new Node('a'), new Node('b'), new Node('c')]
    a.next = b
    b.next = c
    c.next = a
    adopted(a)
    expect([a.next, b.next, c.next]).toEqual([b, c, a])
    expect(a.next!.next!.next).toBe(a)
    expect([a, b, c].flatMap((node) => Object.keys(node))).toEqual([])
  })

  test('a list of 100,000 is adopted and read', () => {
    let head: Node | null = null
    for (let i = 0; i < 100_000; i++) head = new Node(`${i}`, head)
    adopted(head!)
    let count = 0
    for (let at: Node | null = head; at; at = at.next) count++
    expect(count).toBe(100_000)
  })

  test('where one of them is refused, all stay as they were', () => {
    const bad = new Node('bad')
    const [a, b] = [new Node('a'), new Node('b', bad)]
    a.next = b
    b.next = bad
    bad.name = 5 as never
    expect(() => adopted(a)).toThrow(/^Node\.name is shared as string/)
    expect([a.name, a.next, b.next, bad.name]).toEqual(['a', b, bad, 5])
    bad.name = 'good'
    expect(a.names).toBeTypeOf('function')
    bad.next = null
    expect(a.names()).toBe('a b good')
  })

  test('instances of subclasses, and no others', () => {
    const holder = adopted(new Holder())
    holder.node = new SpecialNode('special')
    expect(holder.node).toBeInstanceOf(SpecialNode)
    class Undecorated extends Node {}
    const wrong: [unknown, RegExp][] = [
      [{}, /takes a Node or null, not an object\./],
      [holder, /takes a Node or null, not an object of Holder/],
      [undefined, /takes a Node or null, not undefined/],
      [new Undecorated('u'), /Undecorated.*@FreeThreaded\(\)/],
    ]
    for (const [value, message] of wrong) {
      expect(() => {
        holder.node = value as Node
      }).toThrow(message)
    }
    expect(holder.node.name).toBe('special')
  })

  test('containers are objects', () => {
    class Index {
      entries: SharedMap<string, number> | null = null
      count() {
        return this.entries?.size ?? 0
      }
    }
    FreeThreaded({ name: 'Index', shared: { entries: SharedMap } })(Index)
    const index = new Index()
    expect(index.count()).toBe(0)
    const map = new SharedMap<string, number>({ key: 'string', value: 'f64' }, [['a', 1]])
    index.entries = map
    expect([index.count(), index.entries]).toEqual([1, map])
    expect(index.entries).toBe(map)
  })

  test('it shows itself, and ends', () => {
    const node = new Node('n')
    node.next = node
    expect(inspect(adopted(node))).toBe("Node { name: 'n', next: [Circular] }")
    expect(JSON.stringify(new Node('a', new Node('b')))).toBe('{"name":"a","next":{"name":"b","next":null}}')
  })
})

describe('on two threads', () => {
  test('the objects are the same, and of their classes', async () => {
    const thread = startThread('./threads/values.js')
    const holder = new Holder()
    holder.self = holder
    holder.node = new SpecialNode('one')
    expect(await thread.run('classes', holder)).toEqual([true, true, true, true])
    const { node } = holder
    const packet = (await thread.run('hand', holder)) as Packet<Node>
    expect(unmarshal(packet)).toBe(node)
  })

  test('what another thread makes stays when that thread ends', async () => {
    const thread = startThread('./threads/values.js')
    const holder = new Holder()
    await thread.run('push', holder, ['a', 'b', 'c'])
    await thread.worker.terminate()
    await thread.ended
    expect(holder.list()).toBe('c b a')
    expect(holder.node).toBeInstanceOf(Node)
  })

  test('two threads push and pop', async () => {
    const holder = new Holder()
    const threads = [startThread('./threads/values.js'), startThread('./threads/values.js')]
    const names = Array.from({ length: 500 }, (_, i) => `n${i}`)
    await Promise.all(threads.map((thread) => thread.run('push', holder, names)))
    expect(holder.list().split(' ').sort()).toEqual([...names, ...names].sort())
    await Promise.all(threads.map((thread) => thread.run('pop', holder, 500)))
    expect(holder.node).toBeNull()
  })
})

describe('what is no free-threaded class', () => {
  const use = (type: never) => {
    class Wrong {
      x: unknown = {}
      read() {
        return this.x
      }
    }
    FreeThreaded({ name: 'Wrong', shared: { x: type } })(Wrong)
    return new Wrong().read()
  }

  test('is refused with its model', () => {
    class Plain {}
    class Home {}
    declareModel(Home, 'apartment')
    expect(() => use(Plain as never)).toThrow(/Plain is not free-threaded.*put @FreeThreaded\(\) on it/)
    expect(() => use(ref(Home) as never)).toThrow(/Home is apartment-threaded/)
    expect(() => use(ref((() => undefined) as never) as never)).toThrow(/gave undefined instead of a class/)
  })

  test('or is not there yet', () => {
    expect(() => ref(undefined as never)).toThrow(/ref takes a class, and this is undefined.*ref\(\(\) => Account\)/)
    expect(() => Shared(undefined as never)({}, 'x')).toThrow(FlatshareError)
    expect(() => Shared(undefined as never)({}, 'x')).toThrow(
      /the class is not there yet.*@Shared\(ref\(\(\) => Account\)\)/,
    )
  })
})

test('an object is marshaled by what refers to it', () => {
  const holder = new Holder()
  holder.node = new Node('inside')
  marshal(holder)[0][Symbol.dispose]()
  expect(Object.isExtensible(holder.node)).toBe(false)
  expect(holder.list()).toBe('inside')
})
