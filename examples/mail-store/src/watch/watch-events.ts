import type { Failure } from '../message.js'
import type { Mailbox } from './mailbox.js'

/** What whoever watches mail is told. A mailbox is in shared memory: it arrives as itself on every thread. */
export interface WatchEvents {
  /** A file with mail was found. What is in it isn't news. */
  mailboxOpened: { mailbox: Mailbox; messages: number }
  /** Mail was appended: `messages` of the mailbox's, from that of number `first` on. */
  mailArrived: { mailbox: Mailbox; first: number; messages: number }
  /** Something was appended that can't be taken as mail. */
  mailFailed: { mailbox: Mailbox; failure: Failure }
  /** The file was truncated, rewritten or replaced. Of its messages, those that weren't in it before follow as news. */
  mailboxRestarted: { mailbox: Mailbox; before: Mailbox; reason: 'truncated' | 'replaced' }
  /** The file is there no more. */
  mailboxGone: { mailbox: Mailbox }
  /** A file can't be read. It is tried again. */
  unreadable: { name: string; reason: string }
  /** The last one. */
  closed: Record<string, never>
}
