/** Calls of every kind, mixed at random and numbered, and what notes the order in which they arrive. */
import { ApartmentThreaded, blocking, callWith, type Remote, transfer } from '@flatshare/apartment'

/** A repeatable source of choices. */
export function choices(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % below
  }
}

export const payloadKinds = ['nothing', 'bytes', 'moved', 'ascii', 'latin1', 'utf16', 'object', 'function'] as const
export type PayloadKind = (typeof payloadKinds)[number]

/** Something of about so many bytes, or characters. */
export function payload(kind: PayloadKind, size: number, number: number): unknown {
  switch (kind) {
    case 'nothing':
      return undefined
    case 'bytes':
      return new Uint8Array(size).fill(number)
    case 'moved': {
      const bytes = new Uint8Array(size).fill(number)
      return transfer({ bytes }, [bytes.buffer])
    }
    case 'ascii':
      return 'a'.repeat(size)
    case 'latin1':
      return 'é'.repeat(size)
    case 'utf16':
      return '€'.repeat(size)
    case 'object':
      return { number, list: Array.from({ length: size >> 5 }, (_, i) => ({ i, text: `item ${i}` })) }
    case 'function':
      return { deep: [() => number] }
  }
}

/** What is wrong with a payload that arrived; nothing, as a rule. */
export function fault(kind: PayloadKind, size: number, number: number, arrived: any): string | undefined {
  switch (kind) {
    case 'nothing':
      return arrived === undefined ? undefined : 'something'
    case 'moved':
      return fault('bytes', size, number, arrived.bytes)
    case 'bytes':
      if (!(arrived instanceof Uint8Array) || arrived.length !== size) return `${arrived.length} bytes`
      return arrived.every((byte) => byte === (number & 0xff)) ? undefined : 'other bytes'
    case 'ascii':
    case 'latin1':
    case 'utf16':
      return arrived === payload(kind, size, number) ? undefined : `another text, of ${arrived.length}`
    case 'object': {
      const whole = arrived.list.length === size >> 5 && arrived.number === number
      const right = arrived.list.every(({ i, text }: any, at: number) => i === at && text === `item ${at}`)
      return whole && right ? undefined : 'another object'
    }
    case 'function':
      return typeof arrived.deep[0] === 'function' ? undefined : 'no function'
  }
}

/** Of all journals of this thread: their names and the numbers of their calls, as these came. */
const arrivals: Array<[journal: string, number: number]> = []
const faults: string[] = []

@ApartmentThreaded()
export class Journal {
  constructor(readonly name: string) {}

  note(number: number, kind: PayloadKind, size: number, arrived?: unknown): number {
    const wrong = fault(kind, size, number, arrived)
    if (wrong !== undefined) faults.push(`${number}, ${kind} of ${size}: ${wrong}`)
    arrivals.push([this.name, number])
    return number
  }

  /** What has come since this was asked last. */
  taken(): { arrivals: Array<[journal: string, number: number]>; faults: string[] } {
    return { arrivals: arrivals.splice(0), faults: faults.splice(0) }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** How large payloads are: mostly small, sometimes about one of the edges, seldom up to 2 MB. */
function someSize(next: (below: number) => number, edges: readonly number[]): number {
  const way = next(20)
  if (way < 12) return next(200)
  if (way < 19) return Math.max(0, edges[next(edges.length)]! - 128 + next(160))
  return next(2 ** 21)
}

/** Calls two journals of one thread in every way. The answers are looked at, too. */
export async function sendMixed(
  journals: readonly Remote<Journal>[],
  seed: number,
  count: number,
  edges: readonly number[],
  mayBlock = true,
): Promise<string[]> {
  const next = choices(seed)
  const wrong: string[] = []
  const pending: Array<Promise<unknown>> = []
  for (let i = 0; i < count; i++) {
    const journal = journals[next(journals.length)]!
    const kind = payloadKinds[next(payloadKinds.length)]!
    const size = someSize(next, edges)
    const args = [i, kind, size, payload(kind, size, i)] as const
    const check = (answer: number) => {
      if (answer !== i) wrong.push(`${i} was answered with ${answer}`)
    }
    const way = next(8)
    if (way === 0) pending.push(callWith(journal, { reply: false }).note(...args))
    else if (way === 1 && mayBlock) check(blocking(journal).note(...args))
    else pending.push(journal.note(...args).then(check))
    if (next(12) === 0) await pending.at(-1)
    if (next(25) === 0) await turn()
  }
  await Promise.all(pending)
  return wrong
}
