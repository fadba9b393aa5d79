/**
 * What the code of an iterator sees as its call while its iteration has limits: each step is a call of its own, by its
 * own path, but whether anybody wants it is said of the iteration as a whole, also between two steps.
 */
import { type Call, isForeign } from '@flatshare/core/internal'
import { CallerCell } from './call-cells.js'
import { ServedCall } from './served-call.js'

/** The call that stands for the iteration, from the limits that its first step tells; undefined where there are none. */
export function wholeCall(first: Call, limits: unknown): ServedCall | undefined {
  if (!Array.isArray(limits)) return undefined
  const [cell, turn, given, left] = limits as unknown[]
  const deadline = typeof left === 'number' ? Date.now() + left : given
  return new ServedCall(
    first.caller,
    first.path,
    typeof deadline === 'number' ? deadline : undefined,
    // A thread of another process has none here, though one that came by way of a third may name one.
    isForeign(first.caller) ? undefined : CallerCell.of(first.caller, cell as number, turn as number),
    false,
  )
}

/** A step of it. */
export function stepOf(step: Call, whole: ServedCall): Call {
  const deadlines = [step.deadline, whole.deadline].filter((deadline) => deadline !== undefined)
  return {
    caller: step.caller,
    path: step.path,
    deadline: deadlines.length > 0 ? Math.min(...deadlines) : undefined,
    get signal() {
      return whole.signal
    },
  }
}
