/**
 * What a parser forgives and an archive should report: a header that isn't one, and a multipart body that ends
 * before its closing boundary, the mark of a message that was cut short.
 */
import type { Buffer } from 'node:buffer'

const field = /^[!-9;-~]+[ \t]*:/
/** Old transports left an envelope line among the fields. */
const envelope = /^>?From /

/** What is wrong with the message as a whole, or null. */
export function findDefect(message: Buffer): string | null {
  const header = readHeader(message, 0, [])
  if (header.lines.length === 0) return message.length === header.end ? 'empty message' : 'no header'
  const odd = header.lines.findIndex((line) => !field.test(line) && !envelope.test(line))
  if (odd === 0) return 'no header'
  if (odd > 0) return `malformed header: line ${odd + 1} is not a field`
  return unclosedMultipart(message, header)
}

function unclosedMultipart(message: Buffer, header: Header): string | null {
  const open: string[] = []
  let at = header.end
  const enter = (part: Header) => {
    const boundary = declaredBoundary(part)
    if (boundary !== null) open.push(boundary)
    at = part.end
  }
  enter(header)
  while (open.length > 0) {
    const line = nextDelimiter(message, at)
    if (!line) return `ends before its closing boundary "--${open.at(-1)}--"`
    at = line.end
    const { level, closes } = matchDelimiter(line.text, open)
    if (level < 0) continue
    if (level < open.length - 1) return `a part ends before its closing boundary "--${open.at(-1)}--"`
    if (closes) open.pop()
    else enter(readHeader(message, at, open))
  }
  return null
}

/** Which open boundary a line that starts with `--` delimits, the innermost first; -1 for none. */
function matchDelimiter(line: string, open: readonly string[]): { level: number; closes: boolean } {
  for (let level = open.length - 1; level >= 0; level--) {
    const delimiter = `--${open[level]}`
    if (line === delimiter) return { level, closes: false }
    if (line === `${delimiter}--`) return { level, closes: true }
  }
  return { level: -1, closes: false }
}

interface Line {
  text: string
  /** Where the next line starts. */
  end: number
}

function readLine(message: Buffer, at: number): Line {
  const lineEnd = message.indexOf(0x0a, at)
  const end = lineEnd < 0 ? message.length : lineEnd + 1
  return { text: message.toString('latin1', at, end).replace(/\r?\n$/, ''), end }
}

/** The next line from `at` on, which is a line's start, that begins with `--`; trailing blanks don't count. */
function nextDelimiter(message: Buffer, at: number): Line | null {
  if (message[at] !== 0x2d || message[at + 1] !== 0x2d) at = message.indexOf('\n--', at) + 1
  if (at === 0) return null
  const { text, end } = readLine(message, at)
  return { text: text.trimEnd(), end }
}

interface Header {
  /** The fields, unfolded. */
  lines: string[]
  /** Where the body starts. */
  end: number
}

/** Reads the header that starts at `at`, up to a blank line or a delimiter of an open multipart. */
function readHeader(message: Buffer, at: number, open: readonly string[]): Header {
  const lines: string[] = []
  while (at < message.length) {
    const { text, end } = readLine(message, at)
    if (text.startsWith('--') && matchDelimiter(text.trimEnd(), open).level >= 0) break
    at = end
    if (text === '') break
    if (lines.length > 0 && /^[ \t]/.test(text)) lines[lines.length - 1] += text
    else lines.push(text)
  }
  return { lines, end: at }
}

function declaredBoundary(header: Header): string | null {
  const type = header.lines.find((line) => /^content-type[ \t]*:/i.test(line))
  if (!type || !/^[^:]*:\s*multipart\//i.test(type)) return null
  for (const [, name, quoted, plain] of type.matchAll(/;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g)) {
    if (name.toLowerCase() === 'boundary') return (quoted?.replace(/\\(.)/g, '$1') ?? plain).trimEnd() || null
  }
  return null
}
