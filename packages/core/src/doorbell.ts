/**
 * Waking a thread from its event loop, by its word in the thread table.
 *
 * A thread that has looked at all that others may have put into shared memory for it falls asleep: it turns to its event
 * loop. Whoever puts something there later rings.
 *
 *   bell = id << 2 | state
 *
 *   state     the thread                                      who has put something there for it
 *   ASLEEP 0  has looked, and a wait for the bell is armed    makes it RUNG and wakes the wait
 *   RUNG   1  comes as soon as its event loop turns           need not do anything more
 *   AWAKE  2  looks again before it falls asleep              need not do anything more
 *
 *   publisher                                       owner
 *   publish                                         seen := posts
 *   posts += 1                                      look at everything
 *   notify posts, if the owner is parked on them    bell := ASLEEP
 *   bell is ASLEEP: compare-exchange to RUNG,       posts ≠ seen: bell := AWAKE, and all over again
 *     and notify the bell                           arm a wait for the bell, if none is; bell is not ASLEEP: the same
 *
 * The publisher counts and then looks at the bell; the owner lays down the bell and then looks at the count (Dekker's
 * way). One of them sees the other. It is the count of `inbox.ts`, so a thread that blocks for messages wakes too.
 *
 * The wait is `Atomics.waitAsync`. It can't be taken back, so one that is armed stays so while the thread is awake, until
 * it has fired: else each sleep would leave one more. It doesn't keep the event loop alive.
 *
 * Invariants
 * - While the bell is ASLEEP and the owner is in its event loop, a wait for it is armed, or has fired and its callback is
 *   on the way. So a ring that finds no wait is made up for by that callback.
 * - Only who changes ASLEEP to RUNG notifies: once for each sleep.
 * - A publisher that dies between the change and the notify leaves a bell that nobody rings any more. So each death fires
 *   the owner's wait. A callback means "look again", as every wake-up does.
 * - The id in the word keeps those who still ring for a thread that has ended from ringing for the next in its slot.
 *
 * Blocking waits and the armed one never share a word, so that neither takes the other's wake-up.
 */
import { clock } from '#platform'
import { onThreadExitInternal } from './lifecycle.js'
import { views } from './memory.js'
import { onJoin, ownThreadId, SlotWord, slotOf, type ThreadId } from './threads.js'
import { nativeWait } from './wait.js'

const RUNG = 1
const AWAKE = 2

/** Milliseconds; the system makes it more. */
const SHORTEST_WAIT = 0.001

// Engines compile in what a module's constants hold.
const memory = views
const BELL = SlotWord.bell
const POSTS = SlotWord.posts
const PARKED = SlotWord.parked

const own = { bell: 0, posts: 0, asleep: 0, armed: false, awake: false }
const callbacks: Array<() => void> = []

onJoin((id) => {
  own.bell = slotOf(id) + BELL
  own.posts = slotOf(id) + POSTS
  own.asleep = id << 2
})

/** Whether this runtime has what a doorbell needs: else nobody may rely on one. */
export const hasDoorbell = nativeWait !== undefined

/**
 * Wakes a thread, blocked or asleep: to be called after something was put into shared memory for it, or posted to it. It
 * never blocks. For a thread that is awake it costs two loads and an addition.
 *
 * @returns whether the thread had to be woken through the operating system, which takes it some 100 µs.
 */
export function announce(id: ThreadId): boolean {
  const { i32 } = memory
  const slot = slotOf(id)
  Atomics.add(i32, slot + POSTS, 1)
  const parked = Atomics.load(i32, slot + PARKED) === (slot + POSTS) << 2
  if (parked) Atomics.notify(i32, slot + POSTS)
  const asleep = id << 2
  if (Atomics.load(i32, slot + BELL) !== asleep) return parked
  return ring(slot + BELL, asleep) || parked
}

function ring(bell: number, asleep: number): boolean {
  const { i32 } = memory
  if (Atomics.compareExchange(i32, bell, asleep, asleep | RUNG) !== asleep) return false
  Atomics.notify(i32, bell)
  return true
}

/** Whether a thread looks at shared memory by itself before it sleeps; false also while it blocks, or is being woken. */
export function isAwake(id: ThreadId): boolean {
  const { i32 } = memory
  const slot = slotOf(id)
  return Atomics.load(i32, slot + BELL) === ((id << 2) | AWAKE) && Atomics.load(i32, slot + PARKED) === 0
}

/** What was announced to this thread so far, as a count that wraps around: to be read before the look at what it was. */
export function postsNow(): number {
  if (own.bell === 0) ownThreadId()
  return Atomics.load(memory.i32, own.posts)
}

/** From now on nobody rings for this thread: it looks by itself, until `fallAsleep`. */
export function stayAwake(): void {
  // Others change no bell but one that is ASLEEP; and its cache line is theirs as long as they announce something.
  if (own.awake) return
  if (own.bell === 0) ownThreadId()
  own.awake = true
  Atomics.store(memory.i32, own.bell, own.asleep | AWAKE)
}

/**
 * Has this thread rung for from now on.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 * @returns false where something has come since: the thread is awake still, and must look again.
 */
export function fallAsleep(seen: number): boolean {
  if (own.bell === 0) ownThreadId()
  const { i32 } = memory
  own.awake = false
  Atomics.store(i32, own.bell, own.asleep)
  if (Atomics.load(i32, own.posts) === seen && (own.armed || arm())) return true
  stayAwake()
  return false
}

/** Arms the wait for the bell; false where the bell was rung already. */
function arm(): boolean {
  const wait = nativeWait!(memory.i32, own.bell, own.asleep, Infinity)
  if (!wait.async) return false
  own.armed = true
  void wait.value.then(woken)
  return true
}

function woken(): void {
  own.armed = false
  stayAwake()
  for (const callback of callbacks) callback()
}

/**
 * Calls back from the event loop when somebody rings for this thread; also, now and then, where nothing has come. The
 * thread is awake then, and is to fall asleep again when it has looked at everything. An armed doorbell doesn't keep the
 * event loop alive.
 */
export function onBell(callback: () => void): void {
  callbacks.push(callback)
}

onThreadExitInternal(() => {
  // The dead thread may have changed the bell and not notified.
  if (own.armed) Atomics.notify(memory.i32, own.bell)
})

const nativePause = (Atomics as unknown as { pause?: () => void }).pause
/** Tells the processor that this thread only looks, where the runtime can. */
const pause = nativePause ?? (() => {})
/** So many looks come between two at anything else: some microseconds. */
const LOOKS = nativePause ? 128 : 1024

/**
 * Waits for an announcement without sleeping.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 * @param now what `clock` gives: whoever is about to spin has asked it lately, and to ask takes long.
 * @param milliseconds how long it looks at most.
 * @param goOn asked every few microseconds; where it answers false, the wait is over.
 * @param word index of a word that is likely to change before the announcement, as it is what that is made for …
 * @param value … and what it is as long as nothing has come. That it has changed is as good as the announcement.
 * @returns when that came that was announced since `seen`, or some microseconds before; 0 where nothing was.
 */
export function spin(
  seen: number,
  now: number,
  milliseconds: number,
  goOn: () => boolean,
  word = own.posts,
  value = seen,
): number {
  if (own.bell === 0) ownThreadId()
  const end = now + milliseconds
  do {
    if (lookOften(seen, word, value)) return now
  } while (goOn() && (now = clock()) < end)
  return Atomics.load(memory.i32, own.posts) !== seen ? now : 0
}

function lookOften(seen: number, word: number, value: number): boolean {
  const { i32 } = memory
  const { posts } = own
  for (let looks = LOOKS; looks > 0; looks--) {
    if (Atomics.load(i32, word) !== value || Atomics.load(i32, posts) !== seen) return true
    pause()
  }
  return false
}

/**
 * Gives the core away for an instant, some 100 µs in effect, and looks again: for who has just woken a thread that may
 * have been put on this one's core. Nobody wakes it.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 * @returns whether something was announced since `seen`.
 */
export function nap(seen: number): boolean {
  return Atomics.wait(memory.i32, own.posts, seen, SHORTEST_WAIT) === 'not-equal'
}
