/**
 * Where one message of an mbox ends and the next begins: at a `From ` line, which any sentence may look like.
 *
 * A line that starts with `From ` separates messages when it carries a date, as mail programs write it, or when it
 * follows a blank line and no prose follows it, but a header field, another dated separator, or (where an archive was
 * cut short) the end of the file. The answer depends on the bytes around the line alone, so
 * that two threads that look at one line from both sides of a boundary agree.
 */
import type { Buffer } from 'node:buffer'

/** Bytes that must be in view before a line's start. */
export const lookBehind = 3

/** Bytes that must be in view from a line's start on, unless the file ends earlier. */
export const lookAhead = 1024

const month = /\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/
const time = /\b\d{1,2}:\d{2}(?::\d{2})?\b/
const year = /\b(?:19|20)\d{2}\b/
const field = /^[!-9;-~]+[ \t]*:(?!\/\/)/

const LF = 0x0a
const CR = 0x0d

/** Whether the line at `start`, known to begin with `From `, separates two messages. */
export function isSeparator(bytes: Buffer, start: number): boolean {
  const text = bytes.toString('latin1', start, Math.min(start + lookAhead, bytes.length))
  const end = text.indexOf('\n')
  const line = end < 0 ? text : text.slice(0, end)
  if (isDated(line)) return true
  if (!followsBlankLine(bytes, start)) return false
  const next = end < 0 ? '' : text.slice(end + 1)
  const fileEnds = next === '' && text.length < lookAhead
  return fileEnds || field.test(next) || (next.startsWith('From ') && isDated(next.split('\n', 1)[0]))
}

/**
 * Whether `isSeparator` would answer the same of this line, however much were still written behind it. The bytes are
 * those from the line's start on, up to the end of the file.
 */
export function isDecided(bytes: Buffer): boolean {
  if (bytes.length >= lookAhead) return true
  const [line, next, ...rest] = bytes.toString('latin1').split('\n')
  return rest.length > 0 || (next !== undefined && isDated(line))
}

const isDated = (line: string) => time.test(line) && year.test(line) && month.test(line)

function followsBlankLine(bytes: Buffer, start: number): boolean {
  const before = bytes[start - 2]
  return before === LF || (before === CR && bytes[start - 3] === LF)
}
