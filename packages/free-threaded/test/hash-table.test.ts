import { allocate, i32 } from '@flatshare/core/internal'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { random } from '../../core/dist-test/random.js'
import { cellTypeNamed } from '../dist/cells/types.js'
import { HashTable } from '../dist/containers/hash-table.js'
import { CONTAINER_BYTES, LIMIT, STORE } from '../dist/containers/storage.js'
import { heapStatistics } from '../dist/index.js'
import { DEATH, dyingText } from './dying-cells.js'

// Where things stand in a table, and in an entry from 'string' to 'string': as the file's head says.
const MASK = 0
const USED = 4
const BUCKETS = 32
const WORDS_OF_THE_TABLE = [USED, 8, 16, 20]
const entryBytes = (bounded: boolean) => (bounded ? 24 : 16)

/** Overwrites all that follows from the entries, and the cells of those that are out, as if a thread had died anywhere. */
function scramble(container: number, bounded: boolean, seed: number): void {
  const table = i32[(container + STORE) >> 2]!
  if (table === 0) return
  const next = random(seed)
  for (const word of WORDS_OF_THE_TABLE) i32[(table + word) >> 2] = next(1 << 20)
  const room = i32[(table + MASK) >> 2]! + 1
  for (let i = 0; i < room; i++) i32[(table + BUCKETS + i * 4) >> 2] = next(1 << 20)
  for (let i = 0; i < room; i++) {
    const entry = table + BUCKETS + room * 4 + i * entryBytes(bounded)
    const from = i32[entry >> 2]! < 0 ? (bounded ? 16 : 8) : entryBytes(bounded)
    for (let word = 4; word < from; word += 4) i32[(entry + word) >> 2] = next(1 << 20)
  }
}

function contents(table: HashTable, container: number): [unknown, unknown][] {
  const entries: [unknown, unknown][] = []
  for (let entry = table.next(container, 0); entry !== 0; entry = table.next(container, entry)) {
    entries.push([table.readKey(entry), table.readValue(container, entry, [])])
  }
  return entries
}

test.each([false, true])('S13 what a death leaves is worked out from the entries; bounded: %s', (bounded) => {
  const key = fc.integer({ min: 0, max: 30 }).map((n) => `key ${n}`)
  const step = fc.tuple(fc.constantFrom('set', 'set', 'set', 'delete', 'die'), key, fc.integer())
  const text = cellTypeNamed('string')
  const table = new HashTable(text, text, bounded)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const before = heapStatistics().bytesUsed
      const container = allocate(CONTAINER_BYTES)
      i32[(container + LIMIT) >> 2] = bounded ? 10 : 0
      const model = new Map<string, string>()
      for (const [name, key, seed] of steps) {
        const entry = table.find(container, key, table.stateOf(key))
        expect(entry !== 0).toBe(model.has(key))
        if (name === 'set') {
          // Which one is evicted is not the point here.
          if (bounded && entry === 0 && model.size === 10) continue
          table.set(container, key, `${seed}`)
          model.set(key, `${seed}`)
        } else if (name === 'delete' && entry !== 0) {
          table.delete(container, entry)
          model.delete(key)
        } else if (name === 'die') {
          scramble(container, bounded, seed)
          table.mend(container)
        }
        expect(table.count(container)).toBe(model.size)
        expect(contents(table, container)).toEqual([...model])
      }
      if (bounded) {
        for (let i = 0; i < 20; i++) table.set(container, `new ${i}`, '')
        expect(contents(table, container).map(([key]) => key)).toEqual(
          Array.from({ length: 10 }, (_, i) => `new ${i + 10}`),
        )
      }
      table.clear(container)
      expect(heapStatistics().bytesUsed).toBe(before)
    }),
    { numRuns: 150 },
  )
})

test.each([false, true])('S13 a call whose thread dies has happened, or not; bounded: %s', (bounded) => {
  const key = fc.integer({ min: 0, max: 12 }).map((n) => `key ${n}`)
  const step = fc.tuple(fc.constantFrom('set', 'set', 'delete', 'clear'), key, fc.integer({ min: 0, max: 12 }))
  const { type, dieIn, live } = dyingText()
  const table = new HashTable(type, type, bounded)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const container = allocate(CONTAINER_BYTES)
      i32[(container + LIMIT) >> 2] = bounded ? 6 : 0
      for (const [index, [name, key, death]] of steps.entries()) {
        const value = `value ${index} of ${key}`
        const before = contents(table, container)
        dieIn(death)
        let died = false
        try {
          if (name === 'set') table.set(container, key, value)
          else if (name === 'clear') table.clear(container)
          else {
            const entry = table.find(container, key, table.stateOf(key))
            if (entry !== 0) table.delete(container, entry)
          }
        } catch (error) {
          if (error !== DEATH) throw error
          died = true
        }
        live()
        if (died) table.mend(container)
        const after = contents(table, container)
        const gone = before.filter((entry) => !after.some(([key]) => key === entry[0]))
        if (name === 'clear') expect([before, []]).toContainEqual(after)
        else if (name === 'delete') {
          expect([before, before.filter((entry) => entry[0] !== key)]).toContainEqual(after)
        } else {
          // One more may have made another one go.
          expect(gone.length).toBeLessThanOrEqual(bounded && before.length === 6 ? 1 : 0)
          const stays = before.filter((entry) => !gone.includes(entry))
          const known = stays.some((entry) => entry[0] === key)
          const changed = known
            ? stays.map((entry) => (entry[0] === key ? [key, value] : entry))
            : [...stays, [key, value]]
          expect([stays, changed]).toContainEqual(after)
        }
        expect(table.count(container)).toBe(after.length)
        for (const [key] of after) expect(table.find(container, key, table.stateOf(key))).not.toBe(0)
      }
      table.clear(container)
    }),
    { numRuns: 200 },
  )
})
