// What a per-thread field costs beside a look-up in a plain WeakMap: that of a free-threaded object, and that of an object
// whose code runs at its home, on a thread that has served no calls yet.
import { FreeThreaded, Shared } from '@flatshare/free-threaded'
import { PerThread, ThreadAware } from '@flatshare/thread-aware'
import type { Benchmark } from './benchmark.js'
import { keep, timed } from './timed.js'

class Cursor {
  position = 1
}

@ThreadAware()
@FreeThreaded()
class Session {
  @Shared('i32') uses = 0
  @PerThread(() => new Cursor()) cursor!: Cursor

  use(): void {
    this.uses++
  }
}

@ThreadAware()
class Table {
  @PerThread(() => new Cursor()) cursor!: Cursor
}

const TIMES = 1_000_000
const session = new Session()
session.use()
const table = new Table()
const plain = { name: 'plain' }
const cursors = new WeakMap<object, Cursor>([[plain, new Cursor()]])

function fromMap(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += cursors.get(plain)!.position
  keep(sum)
}

function fromFree(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += session.cursor.position
  keep(sum)
}

function fromTable(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += table.cursor.position
  keep(sum)
}

const MAP = "a plain WeakMap's value"

export default {
  title: 'A per-thread field',
  rows: [
    { name: 'a field of a free-threaded object', run: () => timed(TIMES, fromFree) },
    { name: MAP, role: 'limit', run: () => timed(TIMES, fromMap) },
    { name: 'of an object that lives on one thread, at home', role: 'variant', run: () => timed(TIMES, fromTable) },
  ],
  goals: [{ against: MAP, within: 3 }],
} satisfies Benchmark
