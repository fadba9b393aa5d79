import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { say } from '../say.js'
import { number, printable, table } from '../terminal-text.js'
import type { NotifyPlace } from './notify-place.js'
import { type Watched, watchMail } from './watch-mail.js'

export interface WatchOptions {
  /** A file or a folder; null for one to which another process delivers. */
  file: string | null
  notify: NotifyPlace
  json: boolean
}

/** What is delivered where no mail was named. */
const delivered = 30
const pause = 40

/** Watches mail until it is interrupted or nobody reads what it says, and answers the exit code. */
export async function runWatch({ file, notify, json }: WatchOptions, interrupted: AbortSignal): Promise<number> {
  const unread = new AbortController()
  process.stdout.once('error', () => unread.abort())
  const signal = AbortSignal.any([interrupted, unread.signal])
  const watch = async (path: string, ready: () => void | Promise<void>) => {
    const watched = await watchMail({ path, notify, json, signal, ready })
    console.log(json ? inJson(watched) : inWords(watched))
  }
  if (file !== null) {
    await watch(file, () => {
      say(`watching ${file}`)
      return new Promise(() => {})
    })
    return 0
  }
  const folder = await mkdtemp(join(tmpdir(), 'mail-store-'))
  try {
    await watch(folder, () => {
      say(`watching ${folder}, to which another process delivers ${delivered} messages`)
      return deliverTo(folder, signal)
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return 0
}

/** Has another process deliver mail, until it is through. */
async function deliverTo(folder: string, signal: AbortSignal): Promise<void> {
  const program = fileURLToPath(new URL('./deliver.js', import.meta.url))
  const child = spawn(process.execPath, [program, folder, String(delivered), String(pause)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const stop = () => child.kill()
  signal.addEventListener('abort', stop)
  const [code] = (await once(child, 'close')) as [number | null]
  signal.removeEventListener('abort', stop)
  if (code !== 0 && !signal.aborted) throw new Error(`The process that delivers mail has ended with code ${code}.`)
}

function inJson({ mailboxes, arrived, failed, heardOn }: Watched): string {
  const list = mailboxes.map((mailbox) => ({
    name: mailbox.name,
    messages: mailbox.messages.length,
    arrived: mailbox.arrived,
    conversations: mailbox.index.conversations.count,
  }))
  return JSON.stringify({ event: 'summary', arrived, failed, heardOn, mailboxes: list })
}

function inWords({ mailboxes, arrived, failed, heardOn }: Watched): string {
  const lines = mailboxes.map(({ name, messages, arrived, index }): [string, string] => [
    printable(name),
    `${number(messages.length)} messages, ${number(arrived)} new, ${number(index.conversations.count)} conversations`,
  ])
  const where = heardOn.length > 0 ? `, heard on the thread ${heardOn.map((name) => `"${name}"`).join(', ')}` : ''
  return [
    '',
    ...table(lines),
    '',
    `${number(arrived)} new messages, ${number(failed)} that could not be parsed${where}`,
  ].join('\n')
}
