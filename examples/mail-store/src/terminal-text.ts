/** Text for a terminal, whatever it was made of. */

/** Lines with a name and a number below each other. */
export function table(rows: [string, string][]): string[] {
  const names = Math.max(...rows.map(([name]) => width(name)), 0)
  const values = Math.max(...rows.map(([, value]) => value.length), 0)
  return rows.map(([name, value]) => `${name}${' '.repeat(names - width(name))}  ${value.padStart(values)}`)
}

/** 1234567 as "1,234,567", whatever the machine's locale. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** What comes from mail may not steer the terminal, nor turn its text around. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
}

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/u
const combining = /\p{M}/u

/** The columns of a terminal that a text takes: two for East Asian characters and emoji, none for combining marks. */
function width(text: string): number {
  let columns = 0
  for (const character of text) columns += wide.test(character) ? 2 : combining.test(character) ? 0 : 1
  return columns
}

export function shortened(text: string, length: number): string {
  const characters = Array.from(text)
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}
