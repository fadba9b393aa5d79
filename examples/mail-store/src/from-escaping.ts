/**
 * Inside a message, mbox puts a `>` before a line that would look like a separator. The mboxrd dialect does so at
 * every depth (`>From ` becomes `>>From `), the older mboxo only for `From ` itself. Taking one `>` away undoes
 * both, except for a `>>From ` that an mboxo writer left alone: nothing in such a file tells the two apart.
 */
import type { Buffer } from 'node:buffer'

const LF = 0x0a
const GT = 0x3e

/** A copy of the message with one `>` less before each quoted `From `. */
export function unescapeFrom(message: Buffer): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(message.length)
  let length = 0
  let copied = 0
  const copyUntil = (end: number) => {
    plain.set(message.subarray(copied, end), length)
    length += end - copied
  }
  for (let hit = message.indexOf('>From '); hit >= 0; hit = message.indexOf('>From ', hit + 1)) {
    let line = hit
    while (line > 0 && message[line - 1] === GT) line--
    if (line > 0 && message[line - 1] !== LF) continue
    copyUntil(line)
    copied = line + 1
  }
  copyUntil(message.length)
  return length === plain.length ? plain : plain.slice(0, length)
}

/** The mboxrd form of a message's text. */
export function escapeFrom(message: string): string {
  return message.includes('From ') ? message.replace(/^>*From /gm, '>$&') : message
}
