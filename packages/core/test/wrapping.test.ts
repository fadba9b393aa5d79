import { functionKind, wearFace, wrapMember } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

const methods = {
  plain(a: number, b: number) {
    return a + b
  },
  async later(a: number) {
    return a
  },
  *many() {
    yield 1
  },
  async *stream() {
    yield 1
  },
}

describe('wrapped functions', () => {
  it('tell the kinds apart', () => {
    expect(Object.values(methods).map(functionKind)).toEqual(['plain', 'async', 'generator', 'async generator'])
    expect(functionKind(() => 1)).toBe('plain')
  })

  it.each(Object.entries(methods))('look like the original: %s', (_, original) => {
    const tagged = Object.assign(original, { tag: 7 })
    const wrapper = wearFace((...args: unknown[]) => Reflect.apply(original, undefined, args), tagged)
    expect([wrapper.name, wrapper.length]).toEqual([original.name, original.length])
    expect(wrapper.toString()).toBe(original.toString())
    expect(functionKind(wrapper)).toBe(functionKind(original))
    expect((wrapper as unknown as typeof tagged).tag).toBe(7)
  })

  it('take the place of methods and of both halves of an accessor', () => {
    const log: string[] = []
    const prototype = {
      n: 1,
      get twice() {
        return this.n * 2
      },
      set twice(value: number) {
        this.n = value / 2
      },
      add(x: number) {
        return this.n + x
      },
    }
    for (const key of ['twice', 'add', 'n']) {
      wrapMember(
        prototype,
        key,
        Object.getOwnPropertyDescriptor(prototype, key)!,
        (fn) =>
          function (this: object, ...args: unknown[]) {
            log.push(fn.name)
            return Reflect.apply(fn, this, args)
          },
      )
    }
    prototype.twice = 8
    expect([prototype.add(1), prototype.twice, prototype.n]).toEqual([5, 8, 4])
    expect(log).toEqual(['set twice', 'add', 'get twice'])
  })
})
