import { byReference, DowngradeError, FlatshareError, modelOf, requireModel } from '@flatshare/core'
import { declareModel, MARSHALER, type Marshaler, modelRecord } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

const marshalerOfModel = (model: 'apartment' | 'free'): Marshaler => ({
  kind: `test-${model}`,
  model,
  marshal: () => 0,
  unmarshal: () => ({}),
})

describe('S6 the model of a subclass', () => {
  it('is inherited', () => {
    class Parent {}
    class Child extends Parent {}
    declareModel(Parent, 'apartment')
    expect(modelOf(Child)).toBe('apartment')
    expect(modelRecord(Child)!.Class).toBe(Parent)
  })

  it.each([
    ['free', 'apartment'],
    ['free', 'single'],
    ['apartment', 'single'],
    ['apartment', 'apartment'],
  ] as const)('may narrow: %s → %s', (above, below) => {
    class Parent {}
    class Child extends Parent {}
    declareModel(Parent, above)
    declareModel(Child, below)
    expect([modelOf(Parent), modelOf(Child)]).toEqual([above, below])
  })

  it.each([
    ['apartment', 'free'],
    ['single', 'free'],
    ['single', 'apartment'],
  ] as const)('may not contradict: %s → %s fails at decoration', (above, below) => {
    class Parent {}
    class Child extends Parent {}
    declareModel(Parent, above)
    expect(() => declareModel(Child, below)).toThrow(FlatshareError)
    expect(() => declareModel(Child, below)).toThrow(/Child can't be an? .*Parent is/)
    expect(modelOf(Child)).toBe(above)
  })

  it('may not be given twice differently', () => {
    class Twice {}
    declareModel(Twice, 'free')
    expect(() => declareModel(Twice, 'single')).toThrow(/Twice is already a free-threaded class/)
    expect(() => declareModel(Twice, 'free')).not.toThrow()
  })

  it('needs a name to cross under', () => {
    expect(() => declareModel(class {}, 'free')).toThrow(/give the decorator one/)
    expect(declareModel(class {}, 'free', { name: 'Given' }).name).toBe('Given')
  })
})

describe('modelOf and requireModel', () => {
  it('answer for values, objects marked by reference, and references', () => {
    expect(modelOf(5)).toBeUndefined()
    expect(modelOf(null)).toBeUndefined()
    expect(modelOf({})).toBeUndefined()
    expect(modelOf(class {})).toBeUndefined()
    const listener = byReference({ hear() {} })
    expect(modelOf(listener)).toBe('apartment')
    expect(modelOf(byReference(() => {}))).toBe('apartment')
    expect(() => byReference(5 as never)).toThrow(TypeError)
  })

  it('S11 tell a mere proxy from the object, early', () => {
    const proxy = { [MARSHALER]: marshalerOfModel('apartment') }
    const object = { [MARSHALER]: marshalerOfModel('free') }
    expect(requireModel(object, 'free')).toBe(object)
    expect(() => requireModel(proxy, 'free')).toThrow(DowngradeError)
    expect(() => requireModel({}, 'free')).toThrow(FlatshareError)
    expect(() => requireModel({}, 'free')).not.toThrow(DowngradeError)
  })

  it('refuse what is no class, and a name that is no text', () => {
    for (const none of [5, undefined, {}, () => 1]) expect(() => declareModel(none as never, 'free')).toThrow(TypeError)
    expect(() => declareModel(class Named {}, 'free', { name: 5 as never })).toThrow(TypeError)
  })

  it('publish the model where reflect-metadata is loaded', () => {
    const defined: unknown[] = []
    const reflect = Reflect as { defineMetadata?: unknown }
    const before = reflect.defineMetadata
    reflect.defineMetadata = (...args: unknown[]) => defined.push(args)
    class Seen {}
    try {
      declareModel(Seen, 'free')
    } finally {
      if (before) reflect.defineMetadata = before
      else delete reflect.defineMetadata
    }
    expect(defined).toEqual([['flatshare:model', 'free', Seen]])
  })
})
