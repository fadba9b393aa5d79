/**
 * The base subject of RFC 5256, section 2.1: what is left of a subject without its "Re:", "Fwd:", "[list]" and
 * "(fwd)". Messages whose headers don't say what they answer are put together by it.
 */

const trailer = /(?:[ \t]|\(fwd\))+$/i
const leader = /^(?:[ \t]+|(?:\[[^[\]]*\][ \t]*)*(?:re|fwd?)[ \t]*(?:\[[^[\]]*\][ \t]*)?:)/i
const blob = /^\[[^[\]]*\][ \t]*/
const forwarded = /^\[fwd:(.*)\]$/i

/** The base subject, in the letters of the original; encoded words must have been decoded. */
export function baseSubject(subject: string): string {
  let text = subject.replace(/\s+/g, ' ')
  for (;;) {
    text = withoutPrefixes(withoutTrailer(text))
    const inner = forwarded.exec(text)?.[1]
    if (inner === undefined) return text
    text = inner
  }
}

function withoutTrailer(text: string): string {
  // Without this test the expression is tried from every blank of a long subject.
  return text.endsWith(' ') || /\(fwd\)$/i.test(text) ? text.replace(trailer, '') : text
}

function withoutPrefixes(text: string): string {
  for (;;) {
    let shorter = text.replace(leader, '')
    const rest = shorter.replace(blob, '')
    // A "[list]" that is all there is stays: it is the base then.
    if (rest !== '') shorter = rest
    if (shorter === text) return text
    text = shorter
  }
}
