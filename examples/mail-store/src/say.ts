import type { Announcement } from './import-mail.js'

export function announceLost(what: Announcement): void {
  if (what.kind === 'lost') say(`mail-store: ${what.reader} died, its share is read again: ${what.reason}`)
}

/** Says a line. In a terminal it takes the place of the progress bar, which is drawn again below. */
export function say(line: string): void {
  console.error(process.stderr.isTTY ? `\r\u001b[K${line}` : line)
}
