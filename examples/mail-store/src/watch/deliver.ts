/**
 * A mail delivery agent, as a process of its own: `node deliver.js FOLDER MESSAGES [PAUSE]`. It appends generated mail to
 * the mailboxes of a folder, as such programs do: under a dot-lock, some messages in several writes; and half way it
 * rotates one.
 */
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { generateArchive } from '../generated/archive.js'

export interface Delivery {
  folder: string
  messages: number
  /** Milliseconds between two writes. */
  pause?: number
}

const mailboxes = ['announce', 'inbox']

export async function deliver({ folder, messages, pause = 0 }: Delivery): Promise<void> {
  let count = 0
  for (const message of generateArchive(messages)) {
    const path = join(folder, mailboxes[count % mailboxes.length])
    if (count === Math.floor(messages / 2)) await rename(path, `${path}.1`)
    await append(path, message, count % 3 === 0 ? 3 : 1, pause)
    count++
  }
}

/** Appends a message in several writes, while it has the mailbox's lock. */
async function append(path: string, message: Uint8Array, writes: number, pause: number): Promise<void> {
  const lock = `${path}.lock`
  await (await open(lock, 'wx')).close()
  try {
    const file = await open(path, 'a')
    try {
      const length = Math.ceil(message.length / writes)
      for (let at = 0; at < message.length; at += length) {
        await file.appendFile(message.subarray(at, at + length))
        if (pause > 0) await setTimeout(pause)
      }
    } finally {
      await file.close()
    }
  } finally {
    await rm(lock)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, messages, pause = '0'] = process.argv.slice(2)
  await deliver({ folder, messages: Number(messages), pause: Number(pause) })
}
