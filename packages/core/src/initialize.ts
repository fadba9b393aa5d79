/**
 * `initialize`: options for all threads, and the end of what Flatshare started.
 *
 * Everything works without it. It is counted over all threads of one shared memory; the last release ends what
 * registered itself by `onLastRelease`.
 *
 * One block of the arena, made at the first call:
 *
 *   word 0  lock        a short lock: see `short-lock.ts`
 *   word 1  active      1 from the first initialisation to the last release
 *   word 2  epoch       raised at each last release; hooks wait on it
 *   word 3  serial      of the last entry that was begun
 *   word 4  notifications    0 nobody said, 1 first thread, 2 service thread
 *   word 5  … said by   id of the thread that said so
 *   word 8  entries of four words, one a thread slot:  id │ count │ serial
 *
 * Invariants
 * - Words are changed under the lock only. Its holder may die at any store: whoever comes next counts anew.
 * - Nothing is a sum. How many hold it is counted from the entries whose threads live, so a thread that ends has
 *   released all that it held, in that moment; whoever looks next, or hears of its end, draws the conclusion.
 * - `active` with no living holder is a last release that nobody has concluded yet: the options go first, then the
 *   epoch rises, then `active` falls. If that is done twice, hooks run twice, which they must bear.
 */
import { FlatshareError } from './errors.js'
import { onThreadExitInternal } from './lifecycle.js'
import { Header, i32, THREAD_SLOTS } from './memory.js'
import { sharedBlock } from './shared-block.js'
import { lockShortly, unlockShortly } from './short-lock.js'
import { currentThread, isAlive, livingThreads, ownThreadId, slotsUsed, type ThreadId, threadName } from './threads.js'
import { waitAsync } from './wait.js'

/** Where sinks that may run anywhere are notified. */
export type NotificationMode = 'first-thread' | 'service-thread'

/** What all threads agree on. An option that is left out conflicts with nothing. */
export interface InitializeOptions {
  /**
   * Where sinks that may run anywhere (free-threaded ones, and those named by module) are notified: on the thread that
   * initialised first, from its event loop, or on a thread of Flatshare's own. `'first-thread'` unless somebody says
   * otherwise. Sinks that live on one thread are notified there in any case.
   */
  notifications?: NotificationMode
}

/** One call of `initialize`, to be released once. */
export interface Initialization extends AsyncDisposable {
  /**
   * Gives it back. The last one, over all threads, ends what Flatshare started for the program; then other options may
   * be given. It resolves when what this thread started has ended; other threads follow when their event loops turn.
   *
   * @throws FlatshareError when it was released before. (`await using` after a release is harmless.)
   */
  release(): Promise<void>
}

const MODES: readonly NotificationMode[] = ['first-thread', 'service-thread']
const OPTIONS = ['notifications']

const At = { lock: 0, active: 1, epoch: 2, serial: 3, mode: 4, saidBy: 5, entries: 8 } as const
const Entry = { id: 0, count: 1, serial: 2, words: 4 } as const
const BYTES = 4 * (At.entries + THREAD_SLOTS * Entry.words)

/** Index of the block's first word. */
function words(): number {
  return sharedBlock('initializations', BYTES) >> 2
}

function entryOf(block: number, slot: number): number {
  return block + At.entries + (slot & (THREAD_SLOTS - 1)) * Entry.words
}

function locked<R>(block: number, fn: () => R): R {
  lockShortly(block + At.lock)
  try {
    return fn()
  } finally {
    unlockShortly(block + At.lock)
  }
}

/** The entries of living threads that hold it. */
function* holders(block: number): Generator<number> {
  for (let slot = 1; slot <= slotsUsed(); slot++) {
    const entry = entryOf(block, slot)
    if (Atomics.load(i32, entry + Entry.count) > 0 && isAlive(Atomics.load(i32, entry + Entry.id))) yield entry
  }
}

function isHeld(block: number): boolean {
  return holders(block).next().value !== undefined
}

/** Ends the epoch, if its last holder is gone. Under the lock. */
function conclude(block: number): void {
  if (i32[block + At.active] === 0 || isHeld(block)) return
  Atomics.store(i32, block + At.mode, 0)
  Atomics.add(i32, block + At.epoch, 1)
  Atomics.store(i32, block + At.active, 0)
  Atomics.notify(i32, block + At.epoch)
}

onThreadExitInternal(() => {
  if (Atomics.load(i32, Header.initializations >> 2) === 0) return
  const block = words()
  if (Atomics.load(i32, block + At.active) !== 0) locked(block, () => conclude(block))
})

/**
 * Says, for all threads, how Flatshare is to work, and holds it until it is released.
 *
 * Nobody has to call it: importing and decorating is enough. It is for programs that choose an option, or that want a
 * moment at which all is ended: calls are counted over all threads that share memory, a thread that ends releases its
 * own, and the last release ends what Flatshare has started. Whatever is used after that starts anew.
 *
 * @throws FlatshareError for an option that conflicts with what another call, on whatever thread, has said: it names the
 * option, both values and that thread.
 * @throws TypeError for an option or a value that there isn't.
 * @example
 * await using flatshare = initialize({ notifications: 'service-thread' })
 */
export function initialize(options: InitializeOptions = {}): Initialization {
  const mode = checked(options)
  const me = ownThreadId()
  const block = words()
  locked(block, () => {
    conclude(block)
    if (mode !== 0) settle(block, mode)
    Atomics.store(i32, block + At.active, 1)
    enter(block, me)
  })
  let released = false
  const release = (): Promise<void> => {
    released = true
    return leave(block, me)
  }
  return {
    release: async () => {
      if (released) throw new FlatshareError('This initialization was released before: each is released once.')
      await release()
    },
    [Symbol.asyncDispose]: async () => {
      if (!released) await release()
    },
  }
}

/** The mode that was asked for, as its word has it. */
function checked(options: InitializeOptions): number {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`initialize takes an object of options, not ${String(options)}.`)
  }
  const wrong = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (wrong !== undefined) throw new TypeError(`initialize has no option "${wrong}"; it has ${OPTIONS.join(', ')}.`)
  const { notifications } = options
  if (notifications === undefined) return 0
  const index = MODES.indexOf(notifications)
  if (index >= 0) return index + 1
  throw new TypeError(
    `notifications is ${MODES.map((mode) => `'${mode}'`).join(' or ')}, not ${String(notifications)}.`,
  )
}

/** Under the lock. */
function settle(block: number, mode: number): void {
  const now = Atomics.load(i32, block + At.mode)
  if (now === 0) {
    Atomics.store(i32, block + At.saidBy, ownThreadId())
    Atomics.store(i32, block + At.mode, mode)
  } else if (now !== mode) {
    const by = threadName(Atomics.load(i32, block + At.saidBy))
    throw new FlatshareError(
      `initialize on "${currentThread.name}": notifications can't be '${MODES[mode - 1]}', because "${by}" has ` +
        `initialised with '${MODES[now - 1]}'. Say the same, leave the option out, or release all others first.`,
    )
  }
}

/** Under the lock. */
function enter(block: number, me: ThreadId): void {
  const entry = entryOf(block, me)
  if (i32[entry + Entry.id] !== me || i32[entry + Entry.count] === 0) {
    // The count goes first: it may be that of a dead thread, which must not become this one's.
    Atomics.store(i32, entry + Entry.count, 0)
    Atomics.store(i32, entry + Entry.serial, Atomics.add(i32, block + At.serial, 1) + 1)
    Atomics.store(i32, entry + Entry.id, me)
  }
  Atomics.add(i32, entry + Entry.count, 1)
}

async function leave(block: number, me: ThreadId): Promise<void> {
  const before = Atomics.load(i32, block + At.epoch)
  locked(block, () => {
    Atomics.sub(i32, entryOf(block, me) + Entry.count, 1)
    conclude(block)
  })
  if (Atomics.load(i32, block + At.epoch) !== before) await heed(block)
}

/** Where sinks that may run anywhere are notified now. It costs two loads. */
export function notificationMode(): NotificationMode {
  ownThreadId()
  const block = Atomics.load(i32, Header.initializations >> 2) >> 2
  const mode = block === 0 ? 0 : Atomics.load(i32, words() + At.mode)
  return mode === 2 ? 'service-thread' : 'first-thread'
}

/**
 * The living thread that has held Flatshare initialised for the longest time; where nobody has initialised, the first
 * living one in the table of threads, which as a rule is the one that used Flatshare first.
 */
export function firstThread(): ThreadId {
  const me = ownThreadId()
  let first: number | undefined
  if (Atomics.load(i32, Header.initializations >> 2) !== 0) {
    for (const entry of holders(words())) {
      if (first === undefined || i32[entry + Entry.serial] < i32[first + Entry.serial]) first = entry
    }
  }
  return first === undefined ? (livingThreads()[0] ?? me) : i32[first + Entry.id]
}

/** What to end with the last release. */
export type ReleaseHook = () => void | Promise<void>

const hooks = new Set<ReleaseHook>()
let heeded = 0
let heeding: Promise<void> = Promise.resolve()

/**
 * For the packages of Flatshare: calls `hook` on this thread at each last release from now on, whichever thread released
 * last. Register it when there is something to end, since this joins the thread. It doesn't keep the process alive, and
 * may be called where there is nothing to end.
 */
export function onLastRelease(hook: ReleaseHook): void {
  ownThreadId()
  if (hooks.size === 0) {
    const block = words()
    heeded = Atomics.load(i32, block + At.epoch)
    void watch(block)
  }
  hooks.add(hook)
}

async function watch(block: number): Promise<void> {
  for (;;) {
    await waitAsync((block + At.epoch) << 2, heeded, Infinity, { hold: false })
    // Who releases last on this thread has heeded it, and hears of errors.
    if (Atomics.load(i32, block + At.epoch) !== heeded) await heed(block).catch(report)
  }
}

/** Runs this thread's hooks for the epochs that have ended and not been heeded; resolves when all of them have run. */
function heed(block: number): Promise<void> {
  const epoch = Atomics.load(i32, block + At.epoch)
  if (epoch !== heeded) {
    heeded = epoch
    heeding = heeding.catch(() => {}).then(runHooks)
  }
  return heeding
}

async function runHooks(): Promise<void> {
  const results = await Promise.allSettled([...hooks].map(async (hook) => await hook()))
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, 'Several of what Flatshare started could not be ended.')
}

/** As an event listener's error. */
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
