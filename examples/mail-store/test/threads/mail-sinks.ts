import { type AdviseSink, currentThread, FreeThreaded, type Notification, objectTable, Shared } from 'flatshare'
import type { WatchEvents } from '../../dist/watch/watch-events.js'

// Notifications are about mailboxes, and what is raised at home may be heard here.
import '../../dist/watch/mailbox.js'

type WatchNotification = Notification<WatchEvents>

/** A line for each notification: the event, the mailbox and what came. */
const said = ({ event, payload }: WatchNotification): string => {
  if (event === 'mailArrived') {
    const { messages } = payload.mailbox
    const subjects = Array.from({ length: payload.messages }, (_, i) => messages.at(payload.first + i)!.subject)
    return `${payload.mailbox.name}: ${subjects.join(', ')}`
  }
  if (event === 'closed') return 'closed'
  if (event === 'unreadable') return `unreadable ${payload.name}`
  return `${event} ${payload.mailbox.name}`
}

/** Free-threaded: notified wherever notifications go. */
@FreeThreaded({ module: import.meta.url })
export class FreeMailSink implements AdviseSink<WatchNotification> {
  @Shared('json') lines: readonly string[] = []
  @Shared('json') threads: readonly string[] = []

  onNotify(batch: readonly WatchNotification[]): void {
    this.lines = [...this.lines, ...batch.map(said)]
    if (!this.threads.includes(currentThread.name)) this.threads = [...this.threads, currentThread.name]
  }
}

/** A sink that is named by its module. Who hears of it is in the object table. */
export async function onMail(batch: readonly WatchNotification[]): Promise<void> {
  const sink = await objectTable.get<FreeMailSink>('mail')
  sink.onNotify(batch)
}
