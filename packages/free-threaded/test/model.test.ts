import { SharedVector } from '@flatshare/free-threaded'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Done, Everything, FIELDS, perform, plainState, shown } from './everything.js'
import { startThread } from './thread.js'
import { doShare } from './threads/everything.js'

/**
 * What several threads do to objects at once must be what a plain class would do if it was done one by one, in the order
 * in which the locks were held: every result on the way, and every field in the end.
 */
async function sameAsPlain(threads: readonly ReturnType<typeof startThread>[], seed: number, count: number) {
  const pool = [0, 1, 2].map((id) => Object.assign(new Everything(), { id }))
  const objects = new SharedVector({ of: Everything }, pool)
  const clock = new Int32Array(new SharedArrayBuffer(4))
  const shares = [...threads.keys()].map((i) => ({ seed: seed + i + 1, count, clock }))
  const answers = threads.map((thread, i) => thread.run('share', objects, shares[i]) as Promise<Done[]>)
  const own = await doShare(objects, { seed, count, clock })
  const done = [own, ...(await Promise.all(answers))].flat().sort((a, b) => a.place - b.place)
  const plain = pool.map(({ id }) => plainState(id))
  for (const { op, result } of done) {
    expect({ op, result }).toEqual({ op, result: perform(plain, op) })
  }
  for (const field of FIELDS) {
    expect(pool.map((object) => shown(object[field], field))).toEqual(
      plain.map((object) => shown(object[field], field)),
    )
  }
  expect(done.length).toBe((threads.length + 1) * count)
}

test('alone, an object does what a plain one does', async () => {
  const run = (seed: number) => sameAsPlain([], seed, 60)
  await fc.assert(fc.asyncProperty(fc.nat(), run), { numRuns: 20 })
})

test('used by several threads, objects do what plain ones do', { timeout: 60_000 }, async () => {
  const threads = [1, 2, 3].map(() => startThread('./threads/everything.js'))
  const run = (seed: number) => sameAsPlain(threads, seed, 60)
  await fc.assert(fc.asyncProperty(fc.nat(), run), { numRuns: 12 })
})
