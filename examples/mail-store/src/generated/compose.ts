import { attachment } from './attachments.js'
import { type Charset, encode, repertoire } from './charsets.js'
import type { Person } from './people.js'
import type { Random } from './random.js'
import { type TransferEncoding, transfer } from './transfer.js'

interface Body {
  /** Fields that describe the body. */
  header: string
  /** One character a byte. */
  content: string
}

const encodings: Record<Charset, readonly TransferEncoding[]> = {
  'us-ascii': ['7bit', '7bit', 'quoted-printable'],
  'utf-8': ['8bit', 'quoted-printable', 'base64'],
  'iso-8859-1': ['quoted-printable', '8bit'],
  'windows-1252': ['8bit', 'quoted-printable'],
  'koi8-r': ['8bit', 'base64'],
  'iso-2022-jp': ['7bit'],
}

/** ASCII where it will do, then the charset of the person's mail program, then UTF-8. */
export function charsetFor(text: string, { charset }: Person): Charset {
  return (['us-ascii', charset] as const).find((name) => repertoire[name].test(text)) ?? 'utf-8'
}

/** Puts a text into a body as mail programs do: plain, with an HTML alternative, with attachments. */
export function composeBody(random: Random, text: string, author: Person): Body {
  const charset = charsetFor(text, author)
  const plain = textBody(random, text, 'plain', charset)
  let body = plain
  if (random.chance(12)) {
    body = multipart(random, 'alternative', [plain, textBody(random, html(text), 'html', charset)])
  }
  if (random.chance(8)) {
    const files = Array.from({ length: random.between(1, 2) }, () => attachment(random))
    body = multipart(random, 'mixed', [body, ...files])
  }
  return body
}

function textBody(random: Random, text: string, subtype: string, charset: Charset): Body {
  const encoding = random.pick(encodings[charset])
  return {
    header: `Content-Type: text/${subtype}; charset=${charset}\nContent-Transfer-Encoding: ${encoding}`,
    content: transfer(encode(text, charset), encoding),
  }
}

function multipart(random: Random, subtype: string, parts: (Body | string)[]): Body {
  const boundary = `=_${random.bits().toString(36)}_${random.bits().toString(36)}`
  const written = parts.map(
    (part) => `--${boundary}\n${typeof part === 'string' ? part : `${part.header}\n\n${part.content}`}\n`,
  )
  return {
    header: `Content-Type: multipart/${subtype};\n boundary="${boundary}"`,
    content: `${written.join('')}--${boundary}--\n`,
  }
}

function html(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<html><body>\n<p>${escaped
    .trimEnd()
    .replaceAll('\n\n', '</p>\n<p>')
    .replace(/\n(?!<)/g, '<br>\n')}</p>\n</body></html>\n`
}
