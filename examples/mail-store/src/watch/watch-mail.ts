import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Apartment, initialize, thisThreadAdviseSink } from 'flatshare'
import { ArchiveError } from '../archive.js'
import { Session } from '../session.js'
import type { WatchRequest } from './mail-watcher.js'
import type { Mailbox } from './mailbox.js'
import { NewMail } from './new-mail.js'
import type { NotifyPlace } from './notify-place.js'

export interface Watch {
  /** A folder, or a file, which need not be there yet. */
  path: string
  notify: NotifyPlace
  json: boolean
  /** Ends it, with a last look. */
  signal: AbortSignal
  /** Called when everything that was there is announced. What it resolves to ends the watch as well. */
  ready?(): void | Promise<void>
}

/** What has become of the mail that was watched. */
export interface Watched {
  mailboxes: Mailbox[]
  /** Messages that came meanwhile, and those that can't be taken as mail. */
  arrived: number
  failed: number
  heardOn: readonly string[]
}

/**
 * Watches mail until it is told to stop, and has one sink notified of what happens.
 *
 * The sink is free-threaded: it runs on the first thread that initialised or on Flatshare's own, as the option of
 * `initialize` says; or, wrapped, on this one, whatever that says.
 *
 * @throws ArchiveError where there is no such folder
 */
export async function watchMail({ path, notify, json, signal, ready }: Watch): Promise<Watched> {
  const request = await requestOf(path)
  await using _flatshare = initialize({ notifications: notify === 'first-thread' ? 'first-thread' : 'service-thread' })
  await using apartment = await Apartment.open<typeof import('./mail-watcher.js')>(
    new URL('./mail-watcher.js', import.meta.url),
    { name: 'watcher' },
  )
  const watcher = await apartment.create('MailWatcher', request)
  const sink = new NewMail(new Session(), json)
  const connection = await watcher.advise('*', notify === 'this-thread' ? thisThreadAdviseSink(sink) : sink)
  await watcher.open()
  await Promise.race([aborted(signal), ready?.() ?? new Promise<never>(() => {})])
  await watcher.close()
  await connection.unadvise()
  const { arrived, failed, heardOn } = sink
  return { mailboxes: await watcher.mailboxes(), arrived, failed, heardOn }
}

async function requestOf(path: string): Promise<WatchRequest> {
  if (await isDirectory(path)) return { folder: path }
  if (await isDirectory(dirname(path))) return { folder: dirname(path), only: basename(path) }
  throw new ArchiveError(`${dirname(path)} is no folder`)
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
