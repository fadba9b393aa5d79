/** A small message in an mbox, with its separator line; the number tells it from others. */
export const mail = (number: number, body = 'text'): string =>
  `From a@example.org Thu Jan  1 00:00:00 2015\n` +
  `From: a@example.org\nMessage-ID: <${number}@example.org>\nSubject: mail ${number}\nDate: Thu, 1 Jan 2015 00:00:00 +0000\n\n` +
  `${body}\n\n`
