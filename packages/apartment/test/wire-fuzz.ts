/** Fuzzing of what comes by a link. */
import { deserialize } from 'node:v8'
import fc from 'fast-check'
import { expect } from 'vitest'
import { ANSWER, CALL, CANCEL, caller, FAILURE, home, LOST, RELEASE } from './strangers.js'

export function expectUnharmed(): void {
  for (const x of [{}, [], () => {}, new Map(), /x/] as unknown[]) {
    for (const key in x as object) expect.unreachable(`${key} on everything`)
  }
  expect(Object.getPrototypeOf({})).toBe(Object.prototype)
}

const SEED = Date.now() & 0x7fff_ffff

/** Making a value costs more than sending it: a choice of so many that are made once. */
const choice = <T>(arbitrary: fc.Arbitrary<T>, size = 1000): fc.Arbitrary<T> =>
  fc.constantFrom(...fc.sample(arbitrary, { numRuns: size, seed: SEED }))

const evilNames = fc.constantFrom('__proto__', 'constructor', 'then', 'toString', 'prototype', 'ping', 'give', '')
const anything = choice(
  fc.anything({
    key: fc.oneof(evilNames, fc.string()),
    maxDepth: 2,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
)
const number = fc.oneof(
  fc.integer({ min: -2, max: 12 }),
  fc.constantFrom(Number.NaN, -0, Infinity, -1, 0.5, 2 ** 31, 2 ** 53, 1e300, 0x7ffe_0000_0001),
  fc.double(),
)
const hows = fc.constantFrom('call', 'get', 'set', 'apply', 'create', 'idle')
const kinds = fc.constantFrom(
  ...['reference', 'error', 'class', 'frozen', 'abort-signal', 'single', 'iterable', 'readable-stream'],
  ...['writable-stream', 'stream-pair', '__proto__', 'none'],
)
/** With what marshalers of every kind look for in what came. */
const body = fc.oneof(
  fc.record(
    {
      home: fc.oneof(number, fc.constant(undefined)),
      id: number,
      about: fc.oneof(anything, fc.tuple(number, evilNames, fc.array(evilNames), fc.array(evilNames))),
      port: anything,
      mine: fc.boolean(),
      classes: fc.array(evilNames),
      name: evilNames,
      message: anything,
      stack: anything,
      own: anything,
      cause: anything,
      reason: anything,
      subscribe: anything,
    },
    { requiredKeys: [] },
  ),
  anything,
)
const refs = choice<unknown>(
  fc.oneof(fc.constant(undefined), fc.array(fc.tuple(fc.object({ maxDepth: 1 }), kinds, body)), anything),
)
const field = fc.oneof(number, hows, evilNames, refs, anything)
const bytes = fc.uint8Array({ maxLength: 40 }).map((some) => {
  try {
    return deserialize(Uint8Array.of(0xff, 0x0f, ...some)) as unknown
  } catch {
    return some
  }
})

/** Messages of every kind with some fields right, and what is none. */
const message: fc.Arbitrary<unknown> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(
        fc.constant(CALL),
        number,
        hows,
        evilNames,
        fc.array(number),
        fc.array(anything),
        refs,
        number,
      ),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(ANSWER, FAILURE), number, anything, refs) },
    { weight: 1, arbitrary: fc.tuple(fc.constant(CANCEL), number, fc.boolean(), anything, refs) },
    { weight: 1, arbitrary: fc.tuple(fc.constant(RELEASE), number, number) },
    { weight: 1, arbitrary: fc.tuple(fc.constant(LOST), fc.array(number), fc.boolean()) },
    { weight: 4, arbitrary: fc.array(field, { maxLength: 12 }) },
    { weight: 2, arbitrary: fc.tuple(fc.integer({ min: -1, max: 14 }), field, field, field, field, field, field) },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: bytes },
  )
  // That one says that the link is closed.
  .filter((x) => x !== null)

const TOGETHER = 50

/** Sends so many messages without sense; each fifty of them, a call with sense must still be answered. */
export async function garbageIsSurvived(messages: number): Promise<void> {
  const stranger = await caller()
  const some = fc.array(message, { minLength: TOGETHER, maxLength: TOGETHER })
  await fc.assert(
    fc.asyncProperty(some, fc.boolean(), async (garbage, together) => {
      if (together) stranger.send(garbage)
      else for (const each of garbage) stranger.send(each)
      expect(await stranger.call('ping', ['still here'])).toEqual([ANSWER, 'still here'])
      expectUnharmed()
    }),
    { numRuns: messages / TOGETHER, seed: SEED },
  )
}

/** Answers so many calls with garbage; each must settle. */
export async function garbageSettlesCalls(calls: number): Promise<void> {
  const { stranger, api } = await home()
  const some = fc.array(fc.tuple(fc.constantFrom(ANSWER, FAILURE), anything, refs), {
    minLength: TOGETHER,
    maxLength: TOGETHER,
  })
  await fc.assert(
    fc.asyncProperty(some, async (answers) => {
      let next = 0
      stranger.onCall = ([, , , , path]) => {
        const [kind, value, references] = answers[next++]!
        const id = path[path.length - 1]
        stranger.send([kind, id, value, references])
        // What is no answer at all leaves the call open: whose end this is then.
        stranger.send([FAILURE, id, 'the end', undefined])
      }
      await Promise.allSettled(answers.map(() => api.ask()))
      expect(next).toBe(TOGETHER)
      expectUnharmed()
    }),
    { numRuns: calls / TOGETHER, seed: SEED },
  )
}
