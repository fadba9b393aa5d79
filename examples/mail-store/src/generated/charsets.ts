import { Buffer } from 'node:buffer'

export type Charset = 'us-ascii' | 'utf-8' | 'iso-8859-1' | 'windows-1252' | 'koi8-r' | 'iso-2022-jp'

/**
 * Writes a text in a charset that has all its characters. The platform only reads most of these, and what it reads
 * has differed between versions, so the tables are here.
 */
export function encode(text: string, charset: Charset): Buffer {
  switch (charset) {
    case 'us-ascii':
    case 'utf-8':
      return Buffer.from(text)
    case 'iso-8859-1':
      return Buffer.from(text, 'latin1')
    case 'windows-1252':
      return Buffer.from(
        text.replace(/[’–…]/g, (sign) => windowsSigns[sign]),
        'latin1',
      )
    case 'koi8-r':
      return Buffer.from(text.replace(/[А-яЁё]/g, cyrillicByte), 'latin1')
    case 'iso-2022-jp':
      return encodeKana(text)
  }
}

/** The texts that a charset can write, as far as generated mail needs it. */
export const repertoire: Record<Charset, RegExp> = {
  'us-ascii': /^[\n -~]*$/,
  'utf-8': /^/,
  'iso-8859-1': /^[\n -~\u00a0-\u00ff]*$/,
  'windows-1252': /^[\n -~\u00a0-\u00ff’–…]*$/,
  'koi8-r': /^[\n -~А-яЁё]*$/,
  'iso-2022-jp': /^[\n -~、。ーぁ-んァ-ヶ]*$/,
}

const windowsSigns: Record<string, string> = { '’': '\x92', '–': '\x96', '…': '\x85' }
/** Bytes C0 to DF; the capital letters follow in the same order. */
const cyrillic = 'юабцдефгхийклмнопярстужвьызшэщчъ'

function cyrillicByte(letter: string): string {
  if (letter === 'ё') return '\xa3'
  if (letter === 'Ё') return '\xb3'
  const small = cyrillic.indexOf(letter)
  return String.fromCharCode(small >= 0 ? 0xc0 + small : 0xe0 + cyrillic.indexOf(letter.toLowerCase()))
}

/** In JIS X 0208 hiragana and katakana are rows 4 and 5, in the order of Unicode. */
function encodeKana(text: string): Buffer {
  return Buffer.from(
    text.replace(/[^\n -~]+/g, (kana) => `\x1b$B${Array.from(kana, kanaBytes).join('')}\x1b(B`),
    'latin1',
  )
}

function kanaBytes(character: string): string {
  const sign = { '、': '!"', '。': '!#', ー: '!<' }[character]
  if (sign) return sign
  const [row, first] = character < 'ァ' ? ['$', 'ぁ'] : ['%', 'ァ']
  return row + String.fromCharCode(0x21 + character.charCodeAt(0) - first.charCodeAt(0))
}
