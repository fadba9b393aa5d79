import type { Buffer } from 'node:buffer'
import { type Charset, encode } from './charsets.js'

export type TransferEncoding = '7bit' | '8bit' | 'quoted-printable' | 'base64'

/** A body as it stands in the message, one character a byte. */
export function transfer(bytes: Buffer, encoding: TransferEncoding): string {
  switch (encoding) {
    case 'base64':
      return `${bytes.toString('base64').replace(/.{76}/g, '$&\n').trimEnd()}\n`
    case 'quoted-printable':
      return bytes.toString('latin1').split('\n').map(quotedPrintableLine).join('\n')
    default:
      return bytes.toString('latin1')
  }
}

function quotedPrintableLine(line: string): string {
  let rest = line.replace(/[^\t -<>-~]|[ \t]$/g, quotedByte)
  const pieces: string[] = []
  while (rest.length > 76) {
    const escaped = rest.lastIndexOf('=', 74)
    const cut = escaped > 72 ? escaped : 75 // not through an "=XX"
    pieces.push(rest.slice(0, cut))
    rest = rest.slice(cut)
  }
  return [...pieces, rest].join('=\n')
}

function quotedByte(byte: string): string {
  return `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** A header's text: as it is where ASCII will do, else in encoded words (RFC 2047). */
export function headerText(text: string, charset: Charset, encoding: 'B' | 'Q'): string {
  if (!/[^ -~]/.test(text)) return text
  const words: string[] = []
  for (let at = 0; at < text.length; at += 12) {
    const bytes = encode(text.slice(at, at + 12), charset)
    words.push(`=?${charset}?${encoding}?${encoding === 'B' ? bytes.toString('base64') : quotedWord(bytes)}?=`)
  }
  return words.join('\n ')
}

function quotedWord(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^A-Za-z0-9 ]/g, quotedByte)
    .replaceAll(' ', '_')
}
