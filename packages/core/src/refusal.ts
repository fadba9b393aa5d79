/** The error for what can't cross, and the names that it uses. */
import { NotMarshalableError } from './errors.js'

/** Says what can't cross, the keys that lead to it inside the value, and what to send instead. */
export function refusal(what: string, trail: readonly string[], instead?: string): NotMarshalableError {
  const place = trail.length > 0 ? ` at ${trail.join('.')}` : ''
  return new NotMarshalableError(
    `A value can't cross to another thread: it contains ${what}${place}.` +
      (what.startsWith('the function') ? ' Functions cross by reference once @flatshare/apartment is imported.' : '') +
      (instead ? ` Send instead: ${instead}.` : ''),
  )
}

/** What errors call a function that can't cross. */
export function functionLabel(fn: Function): string {
  return `the function ${fn.name || '(anonymous)'}`
}
