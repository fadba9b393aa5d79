/** Fuzzing of what crosses: values with references anywhere in them go to another thread, and come back the same. */
import { isDeepStrictEqual } from 'node:util'
import type { Remote } from '@flatshare/apartment'
import { byReference } from '@flatshare/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Opener, storeOpener } from './contract/opener.js'
import { type Account, OverdrawnError } from './threads/store.js'

const TOGETHER = 100
const SEED = Date.now() & 0x7fff_ffff

/** What structured clone makes of anything: then the same again. */
const cloned = fc
  .anything({
    key: fc.oneof(fc.constantFrom('__proto__', 'constructor', 'then', 'toJSON', '0'), fc.string()),
    maxDepth: 2,
    // Node's comparison takes no invalid date for another.
    values: [
      ...[fc.boolean(), fc.maxSafeInteger(), fc.double(), fc.string(), fc.constantFrom(null, undefined)],
      fc.date({ noInvalidDate: true }),
    ],
    withBigInt: true,
    withBoxedValues: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  .map((x) => structuredClone(x))

/** References of every kind, each of which arrives as the same thing or one just like it. */
function references(proxies: readonly Remote<Account>[]): unknown[] {
  const fn = (x: number) => x
  const objects = [0, 1].map((count) => byReference({ count, add: (n: number) => n + count }))
  const cause = new RangeError('the cause')
  const errors = [
    new TypeError('thrown'),
    new OverdrawnError(3),
    new Error('with a cause', { cause }),
    new AggregateError([cause, 5], 'many'),
    Object.assign(new SyntaxError('with fields'), { field: [1, { fn }] }),
    new DOMException('gone', 'AbortError'),
  ]
  return [fn, async () => {}, ...objects, ...proxies, ...errors, Object.freeze({ frozen: [fn] })]
}

function same(a: unknown, b: unknown): boolean {
  // Each thread's stack is its own.
  if (a instanceof DOMException) return b instanceof DOMException && b.name === a.name && b.message === a.message
  return isDeepStrictEqual(a, b)
}

/** Sends so many values to another thread and back. */
export async function valuesCross(open: Opener, count: number): Promise<void> {
  await using apartment = await storeOpener(open)()
  const echo = await apartment.create('Account')
  const proxies = [echo, await apartment.create('Account', 5)]
  const leaf = fc.constantFrom<unknown>(
    ...fc.sample(cloned, { numRuns: 1000, seed: SEED }),
    ...new Array(30).fill(references(proxies)).flat(),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 4 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(tie('value'), { maxLength: 3 }).map((values) => new Set(values)),
      fc.tuple(tie('value'), tie('value')).map(([one, other]) => [one, other, one]),
    ),
  }))
  // Making a value costs more than sending it.
  const any = fc.constantFrom<unknown>(...fc.sample(value, { numRuns: 4000, seed: SEED }))
  await fc.assert(
    fc.asyncProperty(fc.array(any, { minLength: TOGETHER, maxLength: TOGETHER }), async (values) => {
      const back = await echo.echo(values)
      expect(back).toHaveLength(TOGETHER)
      for (const [i, sent] of values.entries()) {
        if (!same(back[i], sent)) expect(back[i]).toStrictEqual(sent)
      }
    }),
    { numRuns: count / TOGETHER, seed: SEED, endOnFailure: true },
  )
}
