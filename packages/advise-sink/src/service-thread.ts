/**
 * The thread of Flatshare's own on which sinks are notified that may run anywhere: one for all threads that share memory.
 *
 * It is a worker of whichever thread needed it first, and ends with that one. All threads find it by one word of shared
 * memory:
 *
 *   0         none
 *   id        it is that thread; if that has ended, the same as none
 *   −id       that thread starts it; if that has ended, the same as none
 *
 *   none → −own id    compare-exchange: who wins starts it
 *   −own id → id      it serves; all that wait are woken
 *   −own id → 0       it could not be started; the same
 *   id → 0            the last release, by the thread that had started it, which then ends it
 *
 * Invariants: who has written −own id is the only one to write next, while it lives. Who waits looks again after each
 * death. It doesn't keep the process alive.
 */
import { Apartment } from '@flatshare/apartment'
import { onGone } from '@flatshare/apartment/internal'
import { FlatshareError } from '@flatshare/core'
import {
  i32,
  isAlive,
  marshalerModules,
  onLastRelease,
  ownThreadId,
  sharedBlock,
  type ThreadId,
  waitAsync,
  warn,
} from '@flatshare/core/internal'
import { callReceiver } from './receiver.js'

let opened: Apartment | undefined
let starting: Promise<void> | undefined

/**
 * The service thread, started if there is none.
 *
 * @throws FlatshareError where it can't be started.
 */
export async function serviceThread(): Promise<ThreadId> {
  const word = sharedBlock('serviceThread', 4)
  const own = ownThreadId()
  for (;;) {
    const now = Atomics.load(i32, word >> 2)
    if (now > 0 && isAlive(now)) return now
    if (now === -own) await starting
    else if (now < 0 && isAlive(-now)) await waitAsync(word, now)
    else if (Atomics.compareExchange(i32, word >> 2, now, -own) === now) await (starting = start(word, own))
  }
}

async function start(word: number, own: ThreadId): Promise<void> {
  let thread = 0
  try {
    onLastRelease(end)
    opened = await Apartment.open(new URL('./service.js', import.meta.url), { name: 'notifications', keepAlive: false })
    // What sinks are made of, and hear of, may be of packages that only the program has imported.
    await callReceiver(opened.threadId, 'load', [marshalerModules()])
    thread = opened.threadId
    const apartment = opened
    onGone(apartment.remote as object, () => void tellOfDeath(apartment))
  } catch (error) {
    throw new FlatshareError("The service thread, which notifies sinks that may run anywhere, didn't start.", {
      cause: error,
    })
  } finally {
    Atomics.compareExchange(i32, word >> 2, -own, thread)
    Atomics.notify(i32, word >> 2)
  }
}

/** Nobody awaits what a sink leaves behind on that thread, as a timer: what ends the thread is told here. */
async function tellOfDeath(ended: Apartment): Promise<void> {
  // It was closed.
  if (opened !== ended) return
  opened = undefined
  // No call is made any more; the error has what ended the thread.
  const cause = await ended.create('nothing' as never).catch((error: unknown) => (error as Error).cause)
  const text = cause instanceof Error ? String(cause) : 'one of them has ended it'
  warn(
    `The thread "${ended.name}", which runs sinks, has ended: ${text}. Another one starts when it is needed.`,
    cause instanceof Error ? String(cause.stack) : text,
  )
}

/** The last release. What is being delivered may finish. */
async function end(): Promise<void> {
  await starting?.catch(() => {})
  const ending = opened
  if (!ending) return
  opened = undefined
  const word = sharedBlock('serviceThread', 4)
  Atomics.compareExchange(i32, word >> 2, ending.threadId, 0)
  await ending.close()
}
