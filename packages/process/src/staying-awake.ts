/**
 * How a thread waits for the next frame without sleeping.
 *
 * To be woken takes a process 50 to 100 µs, longer than most calls do. So after it has sent something to which something
 * should come back, a call, or an answer (who makes one call often makes another), its event loop goes on turning for a
 * while; timers, I/O and all other work have their turns as ever.
 *
 *   asleep  → turning   something was sent, and it pays
 *   turning → asleep    a frame has come: that has paid; or none in time: that was in vain
 *
 * It pays only
 *   - where a core is free: not while as many links await something as there are cores;
 *   - where links are few: in a server with many, frames of others come meanwhile;
 *   - unless it was in vain lately (apartment's `patience.ts`), as where the other process computes for long, is far away,
 *     or was put on this one's own core.
 *
 * Invariant: while the thread turns, one turn is scheduled, which holds its event loop open.
 */
import { LONGEST_WAIT, Patience } from '@flatshare/apartment/internal'
import { clock, parallelism } from '@flatshare/core/internal'

/** A link, as far as waiting for it goes. */
export interface AwaitedLink {
  /** Whether anything is awaited from there. */
  readonly awaits: boolean
}

const MANY_LINKS = 32

const patience = new Patience()
const links = new Set<AwaitedLink>()
/** Asked for when it is needed: it takes a new thread a while to find out. */
let cores = 0
/** Until when this thread turns, in milliseconds of `clock`; 0 while it doesn't. */
let until = 0
let scheduled = false

/** Notes a link of this thread, until it has ended. */
export function enterLink(link: AwaitedLink): void {
  links.add(link)
}

export function leaveLink(link: AwaitedLink): void {
  links.delete(link)
}

/** Something was sent to which something should come back soon. */
export function stayAwake(): void {
  if (until === 0 && !(coreIsFree() && patience.tries())) return
  until = clock() + LONGEST_WAIT
  if (!scheduled) schedule()
}

/** Whether it paid to do so, when this thread did last: then the other process is awake, as far as anybody can tell. */
export function isPaying(): boolean {
  return patience.pays
}

/** A frame has come: before it is received, as that may send something. */
export function noteFrame(): void {
  if (until === 0) return
  until = 0
  patience.note(true)
}

function schedule(): void {
  scheduled = true
  setImmediate(turn)
}

function turn(): void {
  scheduled = false
  if (until === 0) return
  if (clock() < until) schedule()
  else {
    until = 0
    patience.note(false)
  }
}

function coreIsFree(): boolean {
  if (links.size > MANY_LINKS) return false
  let awaited = 0
  for (const { awaits } of links) if (awaits) awaited++
  return awaited < (cores ||= parallelism())
}
