/** Threads that raise, advise and unadvise at the inbox of a source, and its home. */
import type { Scenario, Thread, Words } from '../../../core/dist-test/explorer/interleavings.js'
import type * as SharedInbox from '../../dist/shared-inbox.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject: { makeInbox: typeof SharedInbox.makeInbox | undefined } = { makeInbox: undefined }

// Addresses.
const BLOCK = 40
const BELL = 80
/** Of each record, whether it is in use; records lie behind. */
const IN_USE = 100
const RECORDS = 200
const RECORD_BYTES = 16
/** How many of a thread's values have been added: written together with the exchange that adds one. */
const ADDED = 30
/** The value of a record, for whoever sees it added. */
const VALUE = 1

const WAITING = (BLOCK + 8) / 4

function inboxOf(thread: Thread) {
  const { i32, Atomics: atomics } = thread
  return subject.makeInbox!({
    load: (address) => atomics.load(i32, address / 4),
    exchange: (address, value) => thread.op('exchange', address / 4, value),
    compareExchange: (address, expected, value) => thread.op('head', address / 4, expected, value),
    add: (address, delta) => void atomics.add(i32, address / 4, delta),
    notify: (address) => void atomics.notify(i32, address / 4),
    get: (address) => i32[address / 4]!,
    set(address, value) {
      i32[address / 4] = value
    },
    allocate: () => thread.op('allocate'),
    free: (address) => void thread.op('free', address),
  })
}

const ops: Scenario['ops'] = {
  allocate(words) {
    let record = 0
    while (words.get(IN_USE + record) !== 0) record++
    words.set(IN_USE + record, 1)
    return (RECORDS + (RECORD_BYTES / 4) * record) * 4
  },
  free(words, _thread, [address]) {
    const record = (address! / 4 - RECORDS) / (RECORD_BYTES / 4)
    if (words.get(IN_USE + record) === 0) return 'frees a record twice'
    words.set(IN_USE + record, 0)
    return 0
  },
  exchange(words, _thread, [index, value]) {
    const before = words.get(index!)
    words.set(index!, value!)
    return before
  },
  // Notes what has been added, in the very step that adds it.
  head(words, thread, [index, expected, value]) {
    const before = words.get(index!)
    if (before !== expected) return before
    words.set(index!, value!)
    if (words.get(value! / 4 + VALUE) !== 0) words.set(ADDED + thread, words.get(ADDED + thread) + 1)
    return before
  },
}

/** Adds these values, one after the other. */
const adds =
  (...values: number[]) =>
  (thread: Thread): void => {
    const inbox = inboxOf(thread)
    for (const value of values) inbox.push(BLOCK, value)
  }

/** Carries out what has come, and waits for more. It tells each value. */
function home(thread: Thread): void {
  const { i32, Atomics: atomics } = thread
  const inbox = inboxOf(thread)
  const look = (): void => {
    for (;;) {
      const seen = atomics.load(i32, BELL / 4)
      const values = inbox.take(BLOCK)
      for (const value of values) thread.tell(value)
      if (values.length > 0) inbox.carriedOut(BLOCK, values.length)
      const wait = atomics.waitAsync(i32, BELL / 4, seen)
      if (wait.async) {
        wait.value.then(look)
        return
      }
    }
  }
  // As core's waits do: a death wakes them.
  thread.onExit(() => void atomics.notify(i32, BELL / 4))
  look()
}

/** An event that was raised earlier and is in no list any more; else the order in each thread, and each value once. */
function finallyOf(...expected: ReadonlyArray<readonly number[]>) {
  return (told: ReadonlyArray<readonly number[]>, words: Words): string | undefined => {
    const heard = told[told.length - 1]!
    if (words.get(BLOCK / 4) !== 0) return `what was added last is in the list still; heard ${heard.join()}`
    for (const [i, values] of expected.entries()) {
      const own = heard.filter((value) => values.includes(value))
      const added = values.slice(0, words.get(ADDED + i + 1))
      if (own.join() !== added.join()) return `thread ${i + 1} added ${added.join()}; heard ${heard.join()}`
    }
    return heard.length === expected.flat().filter((value) => heard.includes(value)).length
      ? undefined
      : `one twice: ${heard.join()}`
  }
}

const words = { [BLOCK / 4 + 1]: BELL }

/** The exit of a thread is told to the home. */
const supervise = (thread: Thread): void => void thread.op('postExit', 3)

export const scenarios: Readonly<Record<string, Scenario>> = {
  'one raises twice': {
    threads: [adds(11, 12), () => {}, home],
    words,
    ops,
    finally(told, words) {
      return finallyOf([11, 12])(told, words) ?? (words.get(WAITING) === 0 ? undefined : 'some are counted as waiting')
    },
  },
  'two raise, and one more often': {
    threads: [adds(11, 12), adds(21), home],
    words,
    ops,
    preemptions: 2,
    finally(told, words) {
      const wrong = finallyOf([11, 12], [21])(told, words)
      return wrong ?? (words.get(WAITING) === 0 ? undefined : 'some are counted as waiting')
    },
  },
  'one that raises may die, and another goes on': {
    threads: [adds(11, 12), adds(21), home],
    mortal: [1],
    supervise,
    words,
    ops,
    preemptions: 1,
    finally: finallyOf([11, 12], [21]),
  },
  'one that raises may die, and nobody else comes': {
    threads: [adds(11), () => {}, home],
    mortal: [1],
    supervise,
    words,
    ops,
    finally: finallyOf([11]),
  },
  'one advises and unadvises, one raises': {
    // What the home does with 1 (advise) and 2 (unadvise) is its own; what counts is where 21 and 22 stand between them.
    threads: [adds(1, 2), adds(21, 22), home],
    words,
    ops,
    preemptions: 2,
    finally: finallyOf([1, 2], [21, 22]),
  },
}
