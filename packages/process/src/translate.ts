/**
 * Numbers of this process in messages to another one, and the other way round.
 *
 *   thread        in HELLO          the sender's own  →  its id here (core's `foreign.ts`)
 *   path          in CALL           an entry is a number, the sender's own, or [process, number] of a call that began
 *                                   elsewhere. What began here comes back as the very number; any other gets an alias: an
 *                                   id of this process, so that gates, tables and re-entry know it as any call
 *   call          in ANSWER, FAILURE, WAITING    the receiver's own
 *                 in CANCEL, ASK, LOST           the sender's own
 *   deadline      in CALL           milliseconds that are left: the two clocks may differ
 *   cell          in CALL           left out: it is in shared memory
 *
 * Invariants: one call of one process has one alias on a thread here, by whatever links it comes. It is counted by the
 * calls that are served here and have it in their paths, and forgotten with the last of them, or with the link. A number
 * that has no alias (any more) goes out as this process's own, which nobody there takes for anything.
 */

import { type Message, messages } from '@flatshare/apartment/internal'
import type { CallId, ForeignThread, ThreadHome } from '@flatshare/core/internal'
import { keepOne, LARGE_ID, processName } from '@flatshare/core/internal'
import { RecentMap } from './recent-map.js'

const { HELLO, CALL, ANSWER, FAILURE, CANCEL, LINK, LOST, ASK, WAITING } = messages

/** An entry of a path, on its way. */
type Entry = number | readonly [process: string, call: number]

/** A call of another process. */
class Alias {
  /** By all links. */
  count = 0
  /** By the link by which it came first. */
  countOfFirst = 0

  /** @param among where it is. */
  constructor(
    readonly id: CallId,
    readonly process: string,
    readonly number: number,
    readonly first: Translation,
    readonly among: RecentMap<Alias>,
  ) {}
}

keepOne(new Alias(LARGE_ID, '', LARGE_ID, undefined!, undefined!))

const LONGEST_PATH = 0xffff
const LONGEST_NAME = 64

const byProcess = new Map<string, RecentMap<Alias>>()
const byId = new RecentMap<Alias>()
/** The process that was asked for last, while it has calls. */
let last: { readonly process: string; readonly calls: RecentMap<Alias> } | undefined

/** What came is no message. */
export class Nonsense extends Error {}

function callsOf(process: string): RecentMap<Alias> {
  if (last !== undefined && last.process === process) return last.calls
  let calls = byProcess.get(process)
  if (!calls) byProcess.set(process, (calls = new RecentMap()))
  last = { process, calls }
  return calls
}

function count(process: string, number: number, link: Translation): Alias {
  const among = callsOf(process)
  let alias = among.get(number)
  if (!alias) {
    const own = link.thread.newAlias()
    // Below 0 is a delivery of notifications: it is known as one here, too.
    alias = new Alias(number < 0 ? -own : own, process, number, link, among)
    among.add(number, alias)
    byId.add(alias.id, alias)
  }
  alias.count++
  return alias
}

function uncount(alias: Alias, times: number): void {
  alias.count -= times
  if (alias.count > 0) return
  alias.among.delete(alias.number)
  byId.delete(alias.id)
}

/** How many calls of other processes have an alias on this thread. */
export function aliases(): number {
  return byId.size
}

function isNumber(x: unknown): x is number {
  return Number.isSafeInteger(x)
}

/** What one link translates. */
export class Translation {
  /** What came first by another link. */
  readonly #counted = new Map<Alias, number>()
  readonly #own = processName()

  constructor(
    readonly remote: ThreadHome,
    readonly thread: ForeignThread,
    /** What the thread is called here. */
    readonly name: string,
  ) {}

  // ── to there ──────────────────────────────────────────────────────────────────────────────

  /** The message, as it goes to the other process. The given one stays as it is. */
  out(message: Message): unknown[] {
    switch (message[0]) {
      case CALL: {
        const [kind, object, how, member, path, args, refs, deadline, , , oneWay] = message
        const out: unknown[] = [kind, object, how, member, this.#pathOut(path), args]
        if (refs || deadline !== undefined || oneWay) out.push(refs)
        if (deadline !== undefined || oneWay) out.push(deadline && Math.max(0, deadline - Date.now()))
        if (oneWay) out.push(true)
        return out
      }
      case ANSWER:
      case FAILURE:
        return message[3]
          ? [message[0], this.theirs(message[1]), message[2], message[3]]
          : [message[0], this.theirs(message[1]), message[2]]
      case WAITING:
        return [WAITING, this.theirs(message[1]), message[2]]
      default:
        return message
    }
  }

  #pathOut(path: readonly CallId[]): readonly Entry[] {
    if (byId.size === 0) return path
    return path.map((id) => {
      const alias = byId.get(id)
      return alias ? [alias.process, alias.number] : id
    })
  }

  /** The number of a call of theirs, as they know it. */
  theirs(id: CallId): number {
    return byId.get(id)?.number ?? id
  }

  // ── from there ────────────────────────────────────────────────────────────────────────────

  /**
   * A message from the other process, as it is meant here. What else is in it is checked by who receives it.
   *
   * @throws Nonsense
   */
  in(message: unknown): unknown[] {
    if (!Array.isArray(message)) throw new Nonsense('What came is no message.')
    switch (message[0]) {
      case CALL: {
        const [kind, object, how, member, path, args, refs, left, oneWay] = message as unknown[]
        const deadline = typeof left === 'number' ? Date.now() + left : undefined
        const call = [kind, object, how, member, this.#pathIn(path), args, refs, deadline]
        if (oneWay === true) call.push(undefined, undefined, true)
        return call
      }
      case CANCEL:
      case ASK:
        message[1] = this.#mine(message[1])
        return message
      case LOST:
        if (!Array.isArray(message[1]) || message[1].length > LONGEST_PATH) throw new Nonsense('A list of no calls.')
        return [LOST, (message[1] as unknown[]).map((id) => this.#known(id)), message[2]]
      case HELLO:
        return [HELLO, this.thread.id, this.name, message[3]]
      case LINK:
        throw new Nonsense("A port can't come from another process.")
      default:
        return message
    }
  }

  /** A call of theirs that no other one led to. */
  callIn(number: number): CallId {
    return this.#count(this.remote.process, number)
  }

  #pathIn(path: unknown): CallId[] {
    if (!Array.isArray(path) || path.length === 0 || path.length > LONGEST_PATH)
      throw new Nonsense('A call came without its path.')
    const last: unknown = path[path.length - 1]
    if (!isNumber(last)) throw new Nonsense('A call came without its number.')
    return path.map((entry: unknown) => this.#entryIn(entry))
  }

  #entryIn(entry: unknown): CallId {
    if (isNumber(entry)) return this.#count(this.remote.process, entry)
    const [process, number] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (typeof process !== 'string' || process.length > LONGEST_NAME || !isNumber(number))
      throw new Nonsense('A call came with a path that is none.')
    return process === this.#own ? number : this.#count(process, number)
  }

  #count(process: string, number: number): CallId {
    const alias = count(process, number, this)
    if (alias.first === this) alias.countOfFirst++
    else this.#counted.set(alias, (this.#counted.get(alias) ?? 0) + 1)
    return alias.id
  }

  /** A call of theirs, as this process knows it: 0, which is no call's, where it is served no more. */
  #mine(number: unknown): CallId {
    return (isNumber(number) && byProcess.get(this.remote.process)?.get(number)?.id) || 0
  }

  /** The same, so that it can be answered though it never came. */
  #known(number: unknown): CallId {
    if (!isNumber(number)) throw new Nonsense('A list of no calls.')
    return this.#mine(number) || this.#count(this.remote.process, number)
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────

  /** A call that came with this path has ended. */
  served(path: readonly CallId[]): void {
    for (const id of path) {
      const alias = byId.get(id)
      if (!alias) continue
      if (alias.first === this) {
        if (alias.countOfFirst === 0) continue
        alias.countOfFirst--
      } else {
        const counted = this.#counted.get(alias)
        if (!counted) continue
        if (counted === 1) this.#counted.delete(alias)
        else this.#counted.set(alias, counted - 1)
      }
      uncount(alias, 1)
    }
  }

  /** The link has ended. */
  clear(): void {
    for (const alias of byId.values()) {
      if (alias.first !== this || alias.countOfFirst === 0) continue
      const counted = alias.countOfFirst
      alias.countOfFirst = 0
      uncount(alias, counted)
    }
    for (const [alias, counted] of this.#counted) uncount(alias, counted)
    this.#counted.clear()
    for (const [process, calls] of byProcess) if (calls.size === 0) byProcess.delete(process)
    last = undefined
  }
}
