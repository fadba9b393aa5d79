import type { ParsedMessage } from '../dist/message.js'

let offset = 0

/** A message that says of itself what is given, and for the rest as little as can be. */
export const parsedMessage = (fields: Partial<ParsedMessage> = {}): ParsedMessage => ({
  offset: offset++,
  size: 1,
  messageId: null,
  references: [],
  inReplyTo: null,
  from: null,
  fromName: '',
  subject: fields.baseSubject ?? '',
  baseSubject: '',
  date: null,
  day: null,
  weekday: null,
  hour: null,
  attachments: 0,
  ...fields,
})
