import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Apartment, initialize, type Notification, objectTable, type Remote, thisThreadAdviseSink } from 'flatshare'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { MailWatcher, WatchRequest } from '../dist/watch/mail-watcher.js'
import type { WatchEvents } from '../dist/watch/watch-events.js'
import { mail } from './mail-text.js'
import { scratchDirectory } from './scratch-file.js'
import { FreeMailSink } from './threads/mail-sinks.js'

/** Hints and settling are what these tests are about; nobody patrols. */
const never = 2 ** 31 - 1

/** Writes mail as if long ago, so that its last message is no news. */
function writeOld(path: string, text: string): void {
  writeFileSync(path, text)
  utimesSync(path, 0, 0)
}

const openClient = async () => {
  const apartment = await Apartment.open<typeof import('./threads/mail-client.js')>(
    new URL('./threads/mail-client.js', import.meta.url),
    { name: 'client' },
  )
  onTestFinished(() => apartment.close())
  return apartment.create('MailClient')
}

/** A watcher on a thread of its own, that hasn't begun. */
async function newWatcher(request: WatchRequest): Promise<Remote<MailWatcher>> {
  const apartment = await Apartment.open<typeof import('../dist/watch/mail-watcher.js')>(
    new URL('../dist/watch/mail-watcher.js', import.meta.url),
    { name: 'watcher' },
  )
  onTestFinished(() => apartment.close())
  return apartment.create('MailWatcher', { patrol: never, ...request })
}

/** A watcher that has begun, and what it says. */
async function watch(request: WatchRequest) {
  const watcher = await newWatcher(request)
  const sink = new FreeMailSink()
  const heard: string[] = []
  let changed = () => {}
  await watcher.advise(
    '*',
    thisThreadAdviseSink((batch: readonly Notification<WatchEvents>[]) => {
      sink.onNotify(batch)
      heard.splice(0, heard.length, ...sink.lines)
      changed()
    }),
  )
  await watcher.open()
  /** Resolves when it has been told a line, by a hint of the file system's alone. */
  const until = async (line: string) => {
    while (!heard.includes(line)) {
      await new Promise<void>((resolve) => {
        changed = resolve
      })
    }
  }
  return { watcher, heard, until }
}

describe('what happens in a folder is told as it happens', () => {
  test('mail, new mailboxes, truncation, rotation, removal', async () => {
    const folder = scratchDirectory()
    const inbox = join(folder, 'inbox')
    writeFileSync(inbox, mail(1))
    writeFileSync(join(folder, 'notes.txt'), 'From now on\nno mail\n')
    mkdirSync(join(folder, 'sub'))
    const { watcher, heard, until } = await watch({ folder, settling: 0 })
    appendFileSync(inbox, mail(2))
    await until('inbox: mail 2')
    writeFileSync(join(folder, 'sent'), mail(3))
    await until('sent: mail 3')
    truncateSync(inbox)
    await until('mailboxRestarted inbox')
    appendFileSync(inbox, mail(4) + mail(5))
    await until('inbox: mail 4, mail 5')
    appendFileSync(inbox, mail(6))
    await until('inbox: mail 6')
    renameSync(inbox, join(folder, 'inbox.1'))
    await until('mailboxOpened inbox.1')
    writeFileSync(inbox, mail(7))
    await until('inbox: mail 7')
    rmSync(join(folder, 'sent'))
    await until('mailboxGone sent')
    const mailboxes = await watcher.mailboxes()
    expect(mailboxes.map(({ name, messages }) => [name, messages.length])).toEqual([
      ['inbox', 1],
      ['inbox.1', 3],
    ])
    await watcher.close()
    expect(heard.filter((line) => !/Opened|Gone|Restarted/.test(line))).toEqual([
      'inbox: mail 2',
      'sent: mail 3',
      'inbox: mail 4, mail 5',
      'inbox: mail 6',
      'inbox: mail 7',
      'closed',
    ])
  })

  test('of a file that is written anew, as mail programs do, only what wasn’t in it before is news', async () => {
    const folder = scratchDirectory()
    writeFileSync(join(folder, 'inbox'), mail(1) + mail(2) + mail(3))
    const { watcher, heard, until } = await watch({ folder, settling: 0 })
    writeFileSync(join(folder, 'inbox.part'), mail(1) + mail(3) + mail(4))
    renameSync(join(folder, 'inbox.part'), join(folder, 'inbox'))
    await until('inbox: mail 4')
    await watcher.close()
    expect(heard).toEqual(['mailboxOpened inbox', 'mailboxRestarted inbox', 'inbox: mail 4', 'closed'])
  })

  test('a single file, which comes later; its neighbours are nobody’s business', async () => {
    const folder = scratchDirectory()
    const { watcher, heard, until } = await watch({ folder, only: 'inbox', settling: 0 })
    writeFileSync(join(folder, 'other'), mail(1))
    writeFileSync(join(folder, 'inbox'), mail(2))
    await until('inbox: mail 2')
    await watcher.close()
    expect(heard).toEqual(['mailboxOpened inbox', 'inbox: mail 2', 'closed'])
  })

  test('what can’t be taken as mail is said, and the rest goes on', async () => {
    const folder = scratchDirectory()
    writeFileSync(join(folder, 'inbox'), mail(1))
    const { watcher, heard, until } = await watch({ folder, settling: 0 })
    const broken = mail(2).replace('Subject', 'Content-Type: multipart/mixed; boundary=b\nSubject')
    appendFileSync(join(folder, 'inbox'), broken + mail(3))
    await until('inbox: mail 3')
    await watcher.close()
    expect(heard).toContain('mailFailed inbox')
  })

  test('a last message that nobody locks is told when its writer has settled, without a hint', async () => {
    const folder = scratchDirectory()
    const { until } = await watch({ folder, settling: 20 })
    writeFileSync(join(folder, 'inbox'), mail(1))
    await until('inbox: mail 1')
  })

  test('the folder itself may go away, and come back', async () => {
    const folder = join(scratchDirectory(), 'box')
    mkdirSync(folder)
    writeFileSync(join(folder, 'inbox'), mail(1))
    const { watcher, heard, until } = await watch({ folder, settling: 0 })
    rmSync(folder, { recursive: true })
    await until('mailboxGone inbox')
    mkdirSync(folder)
    writeFileSync(join(folder, 'inbox'), mail(2))
    await watcher.look()
    await until('inbox: mail 2')
    appendFileSync(join(folder, 'inbox'), mail(3))
    await until('inbox: mail 3')
    await watcher.close()
    expect(heard.at(-1)).toBe('closed')
  })
})

describe('somebody else appends', () => {
  test('a second process, with locks, in pieces, with a rotation: each message is told once, whole', async () => {
    const folder = scratchDirectory()
    const { watcher, heard } = await watch({ folder })
    const program = fileURLToPath(new URL('../dist/watch/deliver.js', import.meta.url))
    const child = spawn(process.execPath, [program, folder, '40'], { stdio: 'inherit' })
    expect(await once(child, 'close')).toEqual([0, null])
    await watcher.close()
    const mailboxes = await watcher.mailboxes()
    expect(mailboxes.map(({ name }) => name)).toEqual(['announce', 'announce.1', 'inbox'])
    expect(mailboxes.reduce((sum, { messages }) => sum + messages.length, 0)).toBe(40)
    const subjects = heard.flatMap((line) => /^(?:announce(?:\.1)?|inbox): (.*)/.exec(line)?.[1].split(', ') ?? [])
    // A writer that was never seen before its file was rotated is news under the file's new name, once.
    expect(subjects).toHaveLength(40)
    expect(heard.filter((line) => line.startsWith('mailFailed'))).toEqual([])
  })

  test('a second thread, in pieces that break lines', async () => {
    const folder = scratchDirectory()
    writeOld(join(folder, 'inbox'), mail(0))
    const { watcher, heard } = await watch({ folder })
    const client = await openClient()
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
    await client.append(join(folder, 'inbox'), numbers.map((number) => mail(number)).join(''), 97)
    await watcher.close()
    const told = heard.flatMap((line) => /^inbox: (.*)/.exec(line)?.[1].split(', ') ?? [])
    expect(told).toEqual(numbers.map((number) => `mail ${number}`))
  })
})

describe('S27 a sink is notified where it was said', () => {
  /** Appends while somebody watches, and gives the sink's lines and threads. */
  async function notified(advise: (watcher: Remote<MailWatcher>, sink: FreeMailSink) => Promise<unknown>) {
    const folder = scratchDirectory()
    writeOld(join(folder, 'inbox'), mail(1))
    const watcher = await newWatcher({ folder })
    const sink = new FreeMailSink()
    await advise(watcher, sink)
    await watcher.open()
    appendFileSync(join(folder, 'inbox'), mail(2))
    await watcher.close()
    return { lines: sink.lines, threads: sink.threads }
  }
  const lines = ['mailboxOpened inbox', 'inbox: mail 2', 'closed']
  const thisThread = 'main'

  test('(a) on the first thread, from its event loop', async () => {
    await using _flatshare = initialize({ notifications: 'first-thread' })
    const first = await notified((watcher, sink) => watcher.advise('*', sink))
    expect(first).toEqual({ lines, threads: [thisThread] })
  })

  test.each(['first-thread', 'service-thread'] as const)(
    '(b) on the thread that wrapped it, though notifications go to the %s',
    async (notifications) => {
      await using _flatshare = initialize({ notifications })
      const client = await openClient()
      expect(await notified((watcher, sink) => client.advise(watcher, sink))).toEqual({ lines, threads: ['client'] })
      const here = await notified((watcher, sink) => watcher.advise('*', thisThreadAdviseSink(sink)))
      expect(here).toEqual({ lines, threads: [thisThread] })
    },
  )

  test('(c) on a thread of Flatshare’s own: a free-threaded one, and one that is named by its module', async () => {
    await using _flatshare = initialize({ notifications: 'service-thread' })
    const free = await notified((watcher, sink) => watcher.advise('*', sink))
    expect(free).toEqual({ lines, threads: ['notifications'] })
    const named = await notified(async (watcher, sink) => {
      const entry = objectTable.register('mail', sink)
      onTestFinished(() => entry.revoke())
      await watcher.advise('*', new URL('./threads/mail-sinks.js#onMail', import.meta.url))
    })
    expect(named).toEqual({ lines, threads: ['notifications'] })
  })
})
