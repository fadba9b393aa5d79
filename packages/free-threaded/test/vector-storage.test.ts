import { allocate } from '@flatshare/core/internal'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONTAINER_BYTES } from '../dist/containers/storage.js'
import { VectorStorage } from '../dist/containers/vector-storage.js'
import { DEATH, dyingText } from './dying-cells.js'

const NAMES = [
  'append',
  'append',
  'appendAll',
  'prepend',
  'removeFirst',
  'removeLast',
  'replace',
  'write',
  'clear',
] as const

test('S13 a call whose thread dies has happened, or not', () => {
  const step = fc.tuple(fc.constantFrom(...NAMES), fc.nat({ max: 7 }), fc.nat({ max: 16 }))
  const { type, dieIn, live } = dyingText()
  const vector = new VectorStorage(type)
  const contents = (container: number) =>
    Array.from({ length: vector.length(container) }, (_, index) => vector.read(container, index, []))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const container = allocate(CONTAINER_BYTES)
      let number = 0
      for (const [name, index, death] of steps) {
        const before = contents(container) as string[]
        const after = [...before]
        const value = `text ${number++}`
        const more = [`text ${number++}`, `text ${number++}`]
        const takes = name === 'removeFirst' || name === 'removeLast' || name === 'write'
        if ((takes && before.length === 0) || (name === 'write' && index >= before.length)) continue
        const from = Math.min(index, before.length)
        const removed = Math.min(index % 3, before.length - from)
        const [call, model] = {
          append: [() => vector.append(container, value), () => after.push(value)],
          appendAll: [() => vector.appendAll(container, more), () => after.push(...more)],
          prepend: [() => vector.prepend(container, value), () => after.unshift(value)],
          removeFirst: [() => vector.removeFirst(container), () => after.shift()],
          removeLast: [() => vector.removeLast(container), () => after.pop()],
          replace: [() => vector.replace(container, from, removed, more), () => after.splice(from, removed, ...more)],
          write: [() => vector.write(container, index, value), () => (after[index] = value)],
          clear: [() => vector.clear(container), () => (after.length = 0)],
        }[name]
        model()
        dieIn(death)
        let died = false
        try {
          call()
        } catch (error) {
          if (error !== DEATH) throw error
          died = true
        }
        live()
        expect(died ? [before, after] : [after]).toContainEqual(contents(container))
      }
      vector.clear(container)
    }),
    { numRuns: 300 },
  )
})
