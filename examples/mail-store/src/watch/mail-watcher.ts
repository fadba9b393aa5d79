/**
 * Watches the mbox files of a folder, or one of them, on a thread of its own.
 *
 * What the file system tells (`fs.watch`, on the folder: a file that is replaced takes its watch along) is a hint only.
 * Hints come several for one change, before it is complete, with a wrong name or none; some are lost, and network file
 * systems give none. So every hint, whatever it says, leads to a pass over the whole folder, and so do a timer and the time
 * at which a last message counts as whole. A pass compares what is there with what was there: see `tail.ts`.
 *
 *   a hint comes while no pass runs        a pass begins
 *   while one runs                         another one follows it, once, however many hints came
 */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type AdviseRequest, AdviseSource, ApartmentThreaded } from 'flatshare'
import { ArchiveError, checkArchive } from '../archive.js'
import { isFailure, type Outcome, parseMessage } from '../message.js'
import { Mailbox } from './mailbox.js'
import { identityOf, isMissing, settlingTime, Tail } from './tail.js'
import type { WatchEvents } from './watch-events.js'

// Sinks of this class arrive here as themselves.
import './new-mail.js'

export interface WatchRequest {
  folder: string
  /** The only file to watch, which need not be there yet; all that have mail unless given. */
  only?: string
  /** How long a file must not have grown until its last message counts as whole: half a second unless given. */
  settling?: number
  /** How often the folder is looked through without a hint, in milliseconds: 2000 unless given. */
  patrol?: number
}

interface Watched {
  readonly tail: Tail
  mailbox: Mailbox
}

/** So many messages are indexed at a time. */
const batchSize = 64

@ApartmentThreaded()
export class MailWatcher {
  readonly #source = new AdviseSource<WatchEvents>({
    events: ['mailboxOpened', 'mailArrived', 'mailFailed', 'mailboxRestarted', 'mailboxGone', 'unreadable', 'closed'],
  })
  readonly #settling: number
  readonly #patrol: number
  readonly #folder: string
  readonly #only: string | undefined
  readonly #watched = new Map<string, Watched>()
  /** Files that had another name, and were read under it. */
  readonly #read = new Set<string>()
  readonly #unreadable = new Set<string>()
  #hints: FSWatcher | undefined
  #hintsOf = ''
  #patrolTimer: NodeJS.Timeout | undefined
  #settlingTimer: NodeJS.Timeout | undefined
  #passing: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #passes = 0
  #closing = false
  #closed = false

  constructor({ folder, only, settling = settlingTime, patrol = 2000 }: WatchRequest) {
    this.#folder = folder
    this.#only = only
    this.#settling = settling
    this.#patrol = patrol
  }

  advise(...request: AdviseRequest<WatchEvents>) {
    return this.#source.advise(...request)
  }

  /** Begins to watch. What is there already is announced when it resolves, as no news. */
  async open(): Promise<void> {
    await this.look()
    this.#patrolTimer = setInterval(() => void this.look(), this.#patrol).unref()
  }

  /** Looks now. When it resolves, all that was there when it was called is announced. */
  look(): Promise<void> {
    if (!this.#next) {
      const pass = () => {
        this.#next = undefined
        return this.#pass()
      }
      this.#next = this.#passing = this.#passing.then(pass)
    }
    return this.#next
  }

  /** The mailboxes as they are now, by name. */
  mailboxes(): Mailbox[] {
    return Array.from(this.#watched.values(), ({ mailbox }) => mailbox).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Looks for the last time: what waited for its end counts as it is. Resolves when all sinks have heard of all. */
  async close(): Promise<void> {
    this.#closing = true
    await this.look()
    this.#closed = true
    // A hint may have led to one more.
    await this.#passing
    clearInterval(this.#patrolTimer)
    this.#hints?.close()
    for (const { tail } of this.#watched.values()) await tail.close()
    await this.#source.raiseAndWait('closed', {})
  }

  async #pass(): Promise<void> {
    if (this.#closed) return
    const isFirst = this.#passes++ === 0
    await this.#attend()
    // Those that are known first: so a file with a new name is known for what it is.
    for (const [name, watched] of this.#watched) {
      await this.#attempt(name, () => this.#readOn(name, watched))
    }
    const found = new Set<string>()
    for (const name of await this.#names()) {
      await this.#attempt(name, async () => {
        const identity = identityOf(await stat(join(this.#folder, name)))
        found.add(identity)
        // One that was renamed during this pass is looked at in the next one.
        if (this.#watched.has(name) || this.#isWatched(identity)) return
        const isRenamed = this.#read.has(identity)
        await this.#begin(name, isFirst || isRenamed, isRenamed)
      })
    }
    for (const identity of this.#read) if (!found.has(identity)) this.#read.delete(identity)
    this.#waitForSettling()
  }

  #isWatched(identity: string): boolean {
    for (const { tail } of this.#watched.values()) if (tail.identity === identity) return true
    return false
  }

  /** Has the file system tell. Where it can't, there is the patrol. */
  async #attend(): Promise<void> {
    if (this.#closing) return
    try {
      const identity = identityOf(await stat(this.#folder))
      if (this.#hints && identity === this.#hintsOf) return
      this.#hints?.close()
      const hints = watch(this.#folder, { persistent: false }, () => void this.look())
      hints.on('error', () => {
        hints.close()
        if (this.#hints === hints) this.#hints = undefined
      })
      this.#hints = hints
      this.#hintsOf = identity
    } catch {
      this.#hints?.close()
      this.#hints = undefined
    }
  }

  async #names(): Promise<string[]> {
    try {
      const entries = await readdir(this.#folder, { withFileTypes: true })
      const names = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name)
      return names.filter((name) => (this.#only === undefined ? !isAside(name) : name === this.#only)).sort()
    } catch (error) {
      if (!isMissing(error)) this.#failed(basename(this.#folder), error)
      return []
    }
  }

  async #attempt(name: string, read: () => Promise<void>): Promise<void> {
    try {
      await read()
      this.#unreadable.delete(name)
    } catch (error) {
      // It went away meanwhile, or is no mail, or not yet.
      if (!isMissing(error) && !(error instanceof ArchiveError)) this.#failed(name, error)
    }
  }

  /** Once for each file, until it can be read again. */
  #failed(name: string, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException
    // Only what the file system says is a matter of the file.
    if (code === undefined) throw error
    if (this.#unreadable.has(name)) return
    this.#unreadable.add(name)
    this.#source.raise('unreadable', { name, reason: message })
  }

  /** A file that is not known yet. What is in it is news, unless it was there before, or had another name. */
  async #begin(name: string, isQuiet: boolean, isRenamed: boolean): Promise<void> {
    await checkArchive(join(this.#folder, name))
    const mailbox = new Mailbox(name)
    const watched = { tail: new Tail(join(this.#folder, name), this.#settling), mailbox }
    this.#watched.set(name, watched)
    if (!isQuiet) this.#source.raise('mailboxOpened', { mailbox, messages: 0 })
    // What has got another name was read to its end under the old one.
    await this.#readOn(name, watched, isQuiet, isRenamed || this.#closing)
    if (isQuiet && this.#watched.has(name))
      this.#source.raise('mailboxOpened', { mailbox, messages: mailbox.messages.length })
  }

  async #readOn(name: string, watched: Watched, isQuiet = false, isLast = this.#closing): Promise<void> {
    const { identity } = watched.tail
    let before: Mailbox | undefined
    let outcomes: Outcome[] = []
    const add = () => {
      this.#add(watched.mailbox, outcomes, before, isQuiet)
      outcomes = []
    }
    try {
      for await (const found of watched.tail.look(Date.now(), isLast)) {
        if (found.kind === 'message') {
          outcomes.push(await parseMessage(found.message))
          if (outcomes.length === batchSize) add()
          continue
        }
        add()
        if (found.kind === 'gone') this.#watched.delete(name)
        if (found.kind === 'gone' || found.reason === 'replaced') this.#read.add(identity)
        if (found.kind === 'gone') {
          this.#source.raise('mailboxGone', { mailbox: watched.mailbox })
          break
        }
        before = watched.mailbox
        watched.mailbox = new Mailbox(name)
        this.#source.raise('mailboxRestarted', { mailbox: watched.mailbox, before, reason: found.reason })
      }
    } finally {
      // The tail won't give them again, also where reading on has failed.
      add()
    }
  }

  #add(mailbox: Mailbox, outcomes: readonly Outcome[], before: Mailbox | undefined, isQuiet: boolean): void {
    if (outcomes.length === 0) return
    let position = mailbox.messages.length
    const runs: Array<{ first: number; messages: number }> = []
    for (const outcome of outcomes) {
      if (isFailure(outcome)) continue
      const first = position++
      if (isQuiet || (outcome.messageId !== null && before?.index.has(outcome.messageId))) continue
      const run = runs.at(-1)
      if (run && run.first + run.messages === first) run.messages++
      else runs.push({ first, messages: 1 })
    }
    mailbox.add(
      outcomes,
      runs.reduce((sum, { messages }) => sum + messages, 0),
    )
    for (const run of runs) this.#source.raise('mailArrived', { mailbox, ...run })
    if (isQuiet) return
    for (const failure of outcomes.filter(isFailure)) this.#source.raise('mailFailed', { mailbox, failure })
  }

  #waitForSettling(): void {
    const times = Array.from(this.#watched.values(), ({ tail }) => tail.settlesAt ?? Number.POSITIVE_INFINITY)
    const next = Math.min(...times)
    clearTimeout(this.#settlingTimer)
    if (Number.isFinite(next) && !this.#closing) {
      this.#settlingTimer = setTimeout(() => void this.look(), Math.max(0, next - Date.now()) + 1).unref()
    }
  }
}

/** Locks, and what programs write before it gets its name. */
const isAside = (name: string): boolean => name.startsWith('.') || /(?:\.lock|\.part|~)$/.test(name)
