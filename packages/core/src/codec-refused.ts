/** What encoding stops at. Keeping track of the place all the while would cost more than to look for it then. */
import { insteadOfEmptied } from './emptied.js'
import { NotMarshalableError } from './errors.js'
import { keepOne } from './kept-shapes.js'
import { marshalerOf } from './marshaler.js'
import { refusal } from './refusal.js'

/** Found something that can't cross; where it stands is looked up only then. */
export class Refused extends Error {
  readonly trail: string[] = []
  culprit: unknown
  readonly #instead: string | undefined

  /** `reason` is what a marshaler has said already, without a place. */
  constructor(
    what: string,
    culprit: unknown,
    readonly reason?: NotMarshalableError,
  ) {
    // Nobody sees its stack, and making one is most of the cost.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(what)
    Error.stackTraceLimit = stackTraceLimit
    this.culprit = culprit
    this.#instead = typeof culprit === 'object' && culprit ? insteadOfEmptied(culprit) : undefined
  }

  /** What programs are told. */
  told(): NotMarshalableError {
    const { reason, trail } = this
    if (!reason) return refusal(this.message, trail, this.#instead)
    if (trail.length === 0) return reason
    return new NotMarshalableError(`${reason.message} It stands at ${trail.join('.')}.`, { cause: reason })
  }

  /** The culprit stands somewhere below `root`; from now on that is known, and `root` itself is looked for. */
  locate(root: unknown): void {
    try {
      this.trail.unshift(...(pathTo(root, this.culprit, new Set()) ?? []))
    } catch {
      // A getter that throws this time, or too deep a place: the place stays untold.
    }
    this.culprit = root
  }
}

keepOne(new Refused('', undefined))

/** The keys that lead to the first place where `culprit` stands, in the order of encoding. */
function pathTo(x: unknown, culprit: unknown, seen: Set<unknown>): string[] | undefined {
  if (x === culprit) return []
  if (typeof x !== 'object' || x === null || seen.has(x) || marshalerOf(x)) return undefined
  seen.add(x)
  const step = (key: string, value: unknown) => {
    const rest = pathTo(value, culprit, seen)
    return rest && [key, ...rest]
  }
  if (x instanceof Map) {
    for (const [key, value] of x) {
      const found = step('key', key) ?? step(typeof key === 'symbol' ? 'key' : String(key), value)
      if (found) return found
    }
  } else if (x instanceof Set) {
    for (const value of x) {
      const found = step('member', value)
      if (found) return found
    }
  } else if (!ArrayBuffer.isView(x)) {
    for (const key of Object.keys(x)) {
      const found = step(key, (x as any)[key])
      if (found) return found
    }
  }
  return undefined
}
