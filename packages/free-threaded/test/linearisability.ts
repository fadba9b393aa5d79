/**
 * Whether a recorded history can be explained by calls that took effect one at a time, each between its beginning and
 * its end. After Wing & Gong (1993), with the memory of Lowe (2017): a set of calls that were explained, and the state
 * that they lead to, is tried once.
 */

/** The result of a call that never returned: its thread died. It may have taken effect, or not. */
export const UNKNOWN = Symbol('unknown')

/** A call, with moments of a clock that all threads share. */
export interface Recorded<Op, Result> {
  readonly op: Op
  readonly result: Result | typeof UNKNOWN
  readonly began: number
  /** Infinity for a call that never returned. */
  readonly ended: number
}

/** What the calls would do if there was one thread. */
export interface SequentialModel<State, Op, Result> {
  readonly initial: State
  /** The state after a call; undefined where the call could not have given that result. */
  step(state: State, op: Op, result: Result | typeof UNKNOWN): State | undefined
  /** Equal for equal states. */
  name(state: State): string
}

/** The order of calls that explains the history; undefined if there is none. */
export function linearise<State, Op, Result>(
  history: readonly Recorded<Op, Result>[],
  { initial, step, name }: SequentialModel<State, Op, Result>,
): Recorded<Op, Result>[] | undefined {
  const calls = [...history].sort((a, b) => a.began - b.began)
  const done = new Array<boolean>(calls.length).fill(false)
  const tried = new Set<string>()
  const order: number[] = []
  const states: State[] = [initial]
  /** Where to go on, for each call that was explained, if that leads nowhere. */
  let from = 0
  for (;;) {
    const next = candidate(from)
    if (next === 'all') return order.map((index) => calls[index]!)
    if (next === undefined) {
      const last = order.pop()
      if (last === undefined) return undefined
      states.pop()
      done[last] = false
      from = last + 1
      continue
    }
    done[next.index] = true
    order.push(next.index)
    states.push(next.state)
    from = 0
  }

  function candidate(from: number): { index: number; state: State } | 'all' | undefined {
    let first = 0
    while (first < calls.length && done[first]) first++
    let earliestEnd = Infinity
    let left = 0
    for (let i = first; i < calls.length && calls[i]!.began < earliestEnd; i++) {
      if (done[i]) continue
      earliestEnd = Math.min(earliestEnd, calls[i]!.ended)
      if (calls[i]!.ended !== Infinity) left++
    }
    if (left === 0 && earliestEnd === Infinity) return 'all'
    for (let index = Math.max(first, from); index < calls.length && calls[index]!.began < earliestEnd; index++) {
      if (done[index]) continue
      const { op, result } = calls[index]!
      const state = step(states.at(-1)!, op, result)
      if (state === undefined) continue
      done[index] = true
      const seen = `${nameOfDone()} ${name(state)}`
      done[index] = false
      if (tried.has(seen)) continue
      tried.add(seen)
      return { index, state }
    }
    return undefined
  }

  function nameOfDone(): string {
    let first = 0
    while (first < calls.length && done[first]) first++
    let end = calls.length
    while (end > first && !done[end - 1]) end--
    let text = `${first}:`
    for (let i = first; i < end; i++) text += done[i] ? '1' : '0'
    return text
  }
}
