/** Threads that put something into shared memory for one that sleeps in its event loop, or blocks. */
import type * as DoorbellModule from '../../dist/doorbell.js'
import type { Scenario, Thread, Words } from './interleavings.js'
import type { Instantiate } from './module-text.js'

type Doorbell = typeof DoorbellModule

/** What the scenarios run; tests put a broken one in its place. */
export const subject: { instantiate: Instantiate<Doorbell> | undefined } = { instantiate: undefined }

/** Threads whose numbers differ by this have the same slot. */
const SLOTS = 100
const slotOf = (id: number): number => (id % SLOTS) * 16
const SlotWord = { posts: 1, parked: 2, bell: 3 } as const
const ASLEEP = 0
const AWAKE = 2

/** What a thread has published, in a word of its own. */
const published = (id: number): number => 2000 + id
/** For the rule that a sleep is ended by one notify: how many notifies of the bell there may still be. */
const SLEEPS = 3000
/** Whether a thread has notified anybody. */
const NOTIFIED = 4000
/** Whether the next thread of a slot has joined. */
const JOINED = 5000

function doorbell(thread: Thread, id = thread.id): Doorbell {
  const imports = {
    views: { i32: thread.i32 },
    onThreadExitInternal: (listener: () => void) => thread.onExit(listener),
    onJoin: (hook: (id: number) => void) => hook(id),
    ownThreadId: () => id,
    slotOf,
    SlotWord,
    nativeWait: thread.Atomics.waitAsync,
  }
  let time = 0
  return subject.instantiate!({ imports, Atomics: thread.Atomics, performance: { now: () => time++ } })
}

const publisher =
  (to = 1) =>
  (thread: Thread): void => {
    const { announce } = doorbell(thread)
    thread.Atomics.store(0, published(thread.id), 1)
    announce(to)
  }

const WRONG = -1

/** Looks at what threads have published, tells how many when that has changed, falls asleep; again whenever it is woken. */
function sleeper(thread: Thread, publishers: readonly number[], { onWake = () => {} } = {}): Doorbell {
  const bell = doorbell(thread)
  let told = 0
  const pump = () => {
    for (;;) {
      const seen = bell.postsNow()
      let found = 0
      for (const id of publishers) found += thread.Atomics.load(0, published(id))
      if (found !== told) thread.tell((told = found))
      if (bell.fallAsleep(seen)) return
      if (!bell.isAwake(thread.id)) thread.tell(WRONG)
    }
  }
  bell.onBell(() => {
    if (!bell.isAwake(thread.id)) thread.tell(WRONG)
    onWake()
    pump()
  })
  pump()
  thread.onMessage(() => {
    bell.stayAwake()
    pump()
  })
  return bell
}

/** All that was published was found, also what a thread published that died before it rang. */
const foundAll =
  (publishers: readonly number[]) =>
  ([told]: ReadonlyArray<readonly number[]>, words: Words): string | undefined => {
    const there = publishers.reduce((sum, id) => sum + words.get(published(id)), 0)
    if (told!.includes(WRONG)) return 'the thread was not awake where it had to be'
    const found = told!.at(-1) ?? 0
    return found === there ? undefined : `${found} of ${there} were found`
  }

/** Each sleep is ended by one notify of others at most. */
const oneNotifyASleep: Scenario['refuse'] = ([name, index, value], words, thread) => {
  const bell = slotOf(1) + SlotWord.bell
  if (index !== bell || (name !== 'store' && name !== 'notify')) return undefined
  if (name === 'store' && (value! & 3) === ASLEEP) words.set(SLEEPS, words.get(SLEEPS) + 1)
  if (name !== 'notify' || thread === 1) return undefined
  words.set(SLEEPS, words.get(SLEEPS) - 1)
  return words.get(SLEEPS) < 0 ? 'a sleep is ended twice' : undefined
}

/** As core's supervisor does. */
const supervise = (thread: Thread, dead: number): void => {
  if (dead === 1) return
  const { posts, parked } = SlotWord
  thread.Atomics.add(0, slotOf(1) + posts, 1)
  if (thread.Atomics.load(0, slotOf(1) + parked) !== 0) thread.Atomics.notify(0, slotOf(1) + posts)
  thread.op('postExit', 1)
}

/** Blocks until something is there, as core's `park` does. */
function blockUntil(thread: Thread, bell: Doorbell, isThere: () => boolean): void {
  const slot = slotOf(thread.id)
  for (;;) {
    const seen = bell.postsNow()
    if (isThere()) return
    thread.Atomics.store(0, slot + SlotWord.parked, (slot + SlotWord.posts) * 4)
    thread.Atomics.wait(0, slot + SlotWord.posts, seen)
    thread.Atomics.store(0, slot + SlotWord.parked, 0)
  }
}

const STARTS_ASLEEP = { [slotOf(1) + SlotWord.bell]: (1 << 2) | ASLEEP }
const common = { words: { ...STARTS_ASLEEP, [SLEEPS]: 1 }, refuse: oneNotifyASleep, supervise }

export const scenarios: Readonly<Record<string, Scenario>> = {
  'one publishes for a sleeper': {
    ...common,
    threads: [(thread) => void sleeper(thread, [2]), publisher()],
    finally: foundAll([2]),
  },
  'one publishes for a thread that falls asleep': {
    ...common,
    threads: [
      (thread) => {
        doorbell(thread).stayAwake()
        sleeper(thread, [2])
      },
      publisher(),
    ],
    finally: foundAll([2]),
  },
  'two publish for a sleeper': {
    ...common,
    preemptions: 3,
    threads: [(thread) => void sleeper(thread, [2, 3]), publisher(), publisher()],
    finally: foundAll([2, 3]),
  },
  'one publishes twice for a sleeper': {
    ...common,
    threads: [
      (thread) => void sleeper(thread, [2, 3]),
      (thread) => {
        const { announce } = doorbell(thread)
        for (const id of [2, 3]) {
          thread.Atomics.store(0, published(id), 1)
          announce(1)
        }
      },
    ],
    finally: foundAll([2, 3]),
  },
  'two publish for a sleeper whom its event loop wakes as well': {
    ...common,
    preemptions: 2,
    threads: [
      (thread) => void sleeper(thread, [2, 3]),
      (thread) => {
        thread.post(1)
        publisher()(thread)
      },
      publisher(),
    ],
    finally: foundAll([2, 3]),
  },
  'two publish, of whom one may die, for a sleeper': {
    ...common,
    preemptions: 1,
    mortal: [2],
    threads: [(thread) => void sleeper(thread, [2, 3]), publisher(), publisher()],
    finally: foundAll([2, 3]),
  },
  'one publishes for a thread that blocks while it is awake': {
    ...common,
    threads: [
      (thread) => {
        const bell = doorbell(thread)
        bell.stayAwake()
        blockUntil(thread, bell, () => thread.Atomics.load(0, published(2)) === 1)
        thread.tell(1)
      },
      publisher(),
    ],
    finally: foundAll([2]),
  },
  'two publish for a sleeper that blocks in an event': {
    ...common,
    preemptions: 2,
    threads: [
      (thread) => {
        thread.post(1)
        const bell = sleeper(thread, [2, 3])
        thread.onMessage(() => blockUntil(thread, bell, () => thread.Atomics.load(0, published(2)) === 1))
      },
      publisher(),
      publisher(),
    ],
    finally: foundAll([2, 3]),
  },
  'one still rings for a thread whose slot another one has': {
    ...common,
    refuse([name, index, value], words, thread) {
      if (index !== slotOf(1) + SlotWord.bell) return undefined
      if (name === 'store') words.set(JOINED, 1)
      const rings = name === 'compareExchange' && thread === 2 && words.get(index) === value
      return rings && words.get(JOINED) ? 'a bell is rung by who means the thread before' : undefined
    },
    threads: [
      (thread) => {
        // It joins, in the slot that thread 1 has had.
        thread.Atomics.store(0, slotOf(1) + SlotWord.bell, (1 + SLOTS) << 2)
        const bell = doorbell(thread, 1 + SLOTS)
        const pump = () => {
          for (;;) {
            const seen = bell.postsNow()
            const found = thread.Atomics.load(0, published(3))
            if (found) thread.tell(1)
            if (bell.fallAsleep(seen)) return
          }
        }
        bell.onBell(pump)
        pump()
      },
      publisher(1),
      publisher(1 + SLOTS),
    ],
    finally: ([told]) => (told!.includes(1) ? undefined : 'nothing was found'),
  },
  'what announcing says': {
    words: STARTS_ASLEEP,
    // Who notifies notes it.
    refuse: ([name], words, thread) => void (name === 'notify' && words.set(NOTIFIED + thread, 1)),
    preemptions: 2,
    threads: [
      (thread) => {
        thread.post(1)
        const bell = sleeper(thread, [2, 3])
        thread.onMessage(() => blockUntil(thread, bell, () => thread.Atomics.load(0, published(2)) === 1))
      },
      ...[2, 3].map((id) => (thread: Thread) => {
        thread.Atomics.store(0, published(id), 1)
        if (doorbell(thread).announce(1)) thread.tell(1)
      }),
    ],
    finally: (told, words) =>
      [2, 3].some((id) => told[id - 1]!.length !== words.get(NOTIFIED + id))
        ? 'a thread says that it woke the other one, and did not, or the other way round'
        : undefined,
  },
  'whether a thread is awake': {
    ...common,
    words: { ...STARTS_ASLEEP, [slotOf(1) + SlotWord.bell]: (1 << 2) | AWAKE },
    threads: [
      (thread) => void sleeper(thread, [2]),
      (thread) => {
        const { announce, isAwake } = doorbell(thread)
        if (isAwake(1 + SLOTS)) thread.tell(WRONG)
        thread.Atomics.store(0, published(2), 1)
        announce(1)
      },
    ],
    finally: (told, words) => (told[1]!.length > 0 ? 'a thread passed for another one' : foundAll([2])(told, words)),
  },
}
