import { type AdviseSink, currentThread, FreeThreaded, type Notification, ref, Shared, Unlocked } from 'flatshare'
import type { Row } from '../contents-table.js'
import { Session } from '../session.js'
import { number, printable, shortened } from '../terminal-text.js'
import type { WatchEvents } from './watch-events.js'

// Notifications are about objects of this class: this thread must have it.
import './mailbox.js'

/** More messages than these are not listed for one notification. */
const listed = 10

type WatchNotification = Notification<WatchEvents>

/**
 * Says what has happened, and counts it. It is free-threaded: it runs on whatever thread notifications are delivered on,
 * and everybody sees what it has counted.
 *
 * To list what has come it has a table of each mailbox, from the session's cursor. That is the running thread's own one: if
 * it runs on another thread the next time, it opens another table there.
 */
@FreeThreaded({ module: import.meta.url, onAbandoned() {} })
export class NewMail implements AdviseSink<WatchNotification> {
  @Shared(ref(Session)) readonly session: Session
  /** A line of JSON for each event. */
  @Shared('bool') readonly json: boolean
  @Shared('u32') arrived = 0
  @Shared('u32') failed = 0
  /** On which threads it was notified, in order. */
  @Shared('json') heardOn: readonly string[] = []

  constructor(session: Session, json = false) {
    this.session = session
    this.json = json
  }

  /** It prints, which no lock should wait for. */
  @Unlocked()
  onNotify(batch: readonly WatchNotification[]): void {
    for (const notification of batch) {
      this.count(notification)
      if (notification.event === 'closed') continue
      const rows = this.rows(notification)
      if (this.json) console.log(JSON.stringify(inJson(notification, rows)))
      else for (const line of inWords(notification, rows)) console.log(line)
    }
  }

  /** Counts it, in one step. */
  count({ event, payload }: WatchNotification): void {
    const { name } = currentThread
    if (!this.heardOn.includes(name)) this.heardOn = [...this.heardOn, name]
    if (event === 'mailArrived') this.arrived += payload.messages
    if (event === 'mailFailed') this.failed++
  }

  /** What has come, through this thread's own table. */
  @Unlocked()
  rows({ event, payload }: WatchNotification): Row[] {
    const { cursor } = this.session
    if (event === 'mailboxRestarted') cursor.forget(payload.before)
    if (event === 'mailboxGone') cursor.forget(payload.mailbox)
    if (event !== 'mailArrived') return []
    const table = cursor.table(payload.mailbox)
    table.refresh()
    table.seek(payload.first)
    return table.next(Math.min(payload.messages, listed))
  }
}

/** What is said; the end says itself. */
type Said = Exclude<WatchNotification, { event: 'closed' }>

function inJson({ event, payload }: Said, rows: readonly Row[]): object {
  const line = { event, thread: currentThread.name }
  switch (event) {
    case 'mailboxOpened':
      return { ...line, mailbox: payload.mailbox.name, messages: payload.messages }
    case 'mailArrived':
      return { ...line, mailbox: payload.mailbox.name, messages: payload.messages, rows }
    case 'mailFailed':
      return { ...line, mailbox: payload.mailbox.name, ...payload.failure }
    case 'mailboxRestarted':
      return { ...line, mailbox: payload.mailbox.name, reason: payload.reason }
    case 'mailboxGone':
      return { ...line, mailbox: payload.mailbox.name }
    case 'unreadable':
      return { ...line, mailbox: payload.name, reason: payload.reason }
  }
}

function inWords({ event, payload }: Said, rows: readonly Row[]): string[] {
  switch (event) {
    case 'mailboxOpened':
      return [
        `${printable(payload.mailbox.name)}: ${payload.messages === 0 ? 'a new mailbox' : many(payload.messages)}`,
      ]
    case 'mailArrived': {
      const more = payload.messages - rows.length
      return [
        `${printable(payload.mailbox.name)}: ${many(payload.messages, 'new ')}`,
        ...rows.map(inWordsRow),
        ...(more > 0 ? [`  and ${number(more)} more`] : []),
      ]
    }
    case 'mailFailed':
      return [
        `${printable(payload.mailbox.name)}: failed at byte ${payload.failure.offset}: ${printable(payload.failure.reason)}`,
      ]
    case 'mailboxRestarted':
      return [`${printable(payload.mailbox.name)}: ${payload.reason}, begins anew`]
    case 'mailboxGone':
      return [`${printable(payload.mailbox.name)}: gone`]
    case 'unreadable':
      return [`${printable(payload.name)}: can't be read: ${printable(payload.reason)}`]
  }
}

const inWordsRow = ({ date, from, subject }: Row) =>
  `  ${date?.slice(0, 10) ?? '          '}  ${shortened(printable(from ?? '(nobody)'), 30)}  ${shortened(printable(subject || '(no subject)'), 60)}`

const many = (messages: number, kind = '') => `${number(messages)} ${kind}${messages === 1 ? 'message' : 'messages'}`
