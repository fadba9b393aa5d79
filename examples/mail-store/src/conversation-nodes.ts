/**
 * Numbers for what conversations are made of. Every Message-ID is a node, whether its message was seen or only named in
 * a References or In-Reply-To field, and so is every base subject of messages that have neither field.
 *
 * A node keeps its number for ever, whoever asked first: so numbers can stand in batches, and texts are looked up before
 * the lock of the conversations is taken.
 */
import { locked, SharedMap } from 'flatshare'

/** What conversations need to know of a message. */
export interface Threaded {
  offset: number
  messageId: string | null
  references: readonly string[]
  inReplyTo: string | null
  baseSubject: string
}

export type NodeNumbers = SharedMap<string, number>

export const makeNodeNumbers = (): NodeNumbers => new SharedMap({ key: 'string', value: 'u32' })

/** For each message, how many nodes belong together because of it, and then these; its own is the first. */
export function linksOf(messages: readonly Threaded[], numbers: NodeNumbers): number[] {
  const keys = messages.map(keysOf)
  // The messages of a share answer each other: most keys come several times.
  const known = new Map(keys.flat().map((key) => [key, 0]))
  locked(numbers, () => {
    let next = numbers.size
    for (const key of known.keys()) {
      let number = numbers.get(key)
      if (number === undefined) numbers.set(key, (number = next++))
      known.set(key, number)
    }
  })
  return keys.flatMap((keys) => [keys.length, ...keys.map((key) => known.get(key)!)])
}

/** The key of a message with that Message-ID. */
export const nodeOf = (messageId: string): string => `<${messageId}>`

function keysOf({ offset, messageId, references, inReplyTo, baseSubject }: Threaded): string[] {
  const keys = [messageId === null ? `offset ${offset}` : nodeOf(messageId)]
  for (const id of references) keys.push(nodeOf(id))
  if (inReplyTo !== null) keys.push(nodeOf(inReplyTo))
  else if (references.length === 0 && baseSubject !== '') keys.push(`subject ${baseSubject.toUpperCase()}`)
  return keys
}
