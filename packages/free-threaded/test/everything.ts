// A class with a field of every type, the same class without decorators, and operations that are done on either.
import {
  FreeThreaded,
  locked,
  lockedAsync,
  nonBlocking,
  Reads,
  ref,
  Shared,
  type SharedArray,
} from '@flatshare/free-threaded'

export const FIELDS = [
  'i8',
  'u8',
  'i16',
  'u16',
  'i32',
  'u32',
  'i64',
  'u64',
  'f32',
  'f64',
  'bool',
  'door',
  'string',
  'bytes',
  'json',
  'few',
  'many',
  'other',
] as const
export type FieldName = (typeof FIELDS)[number]

/** How often anything was done to a pool of objects: only who holds the lock that an operation needs counts it. */
export type Clock = Int32Array

const tick = (clock: Clock): number => Atomics.add(clock, 0, 1)

/** What an operation does; objects are named by their places in the pool. */
export type Op =
  | { readonly do: 'write'; readonly on: number; readonly field: FieldName; readonly value: unknown }
  | { readonly do: 'read'; readonly on: number; readonly field: FieldName }
  | { readonly do: 'append'; readonly on: number; readonly text: string }
  | { readonly do: 'element'; readonly on: number; readonly index: number; readonly value: number }
  | { readonly do: 'swap'; readonly on: number; readonly with: number; readonly field: FieldName }

export const HOWS = ['sync', 'async', 'nonBlocking', 'locked', 'lockedAsync'] as const
export type How = (typeof HOWS)[number]

/** What was done, when, and what it gave. */
export interface Done {
  readonly op: Op
  readonly place: number
  readonly result: unknown
}

export interface State {
  id: number
  i8: number
  u8: number
  i16: number
  u16: number
  i32: number
  u32: number
  i64: bigint
  u64: bigint
  f32: number
  f64: number
  bool: boolean
  door: 'open' | 'closed' | 'ajar'
  string: string
  bytes: Uint8Array
  json: any
  few: ArrayLike<number>
  many: ArrayLike<number>
  other: State | null
}

/** A value that crosses, and can be compared. */
export function shown(value: unknown, field: FieldName): unknown {
  if (field === 'other') return (value as State | null)?.id ?? null
  if (field === 'few' || field === 'many') return Array.from(value as ArrayLike<number>)
  return value
}

function valueFor(pool: readonly State[], field: FieldName, value: unknown): unknown {
  return field === 'other' && value !== null ? pool[value as number] : value
}

/** Does the operation to objects of either class, and gives what can be seen of it. */
export function perform(pool: readonly State[], op: Op): unknown {
  const state = pool[op.on]! as unknown as Record<FieldName, unknown>
  switch (op.do) {
    case 'read':
      return shown(state[op.field], op.field)
    case 'write': {
      const before = shown(state[op.field], op.field)
      state[op.field] = valueFor(pool, op.field, op.value)
      return [before, shown(state[op.field], op.field)]
    }
    case 'append':
      state.string = (state.string as string).slice(-200) + op.text
      return (state.string as string).length
    case 'element': {
      const few = state.few as number[]
      const before = few[op.index]
      few[op.index] = op.value
      return before
    }
    case 'swap': {
      const other = pool[op.with]! as unknown as Record<FieldName, unknown>
      const isArray = op.field === 'few' || op.field === 'many'
      const mine = isArray ? Array.from(state[op.field] as ArrayLike<number>) : state[op.field]
      state[op.field] = other[op.field]
      other[op.field] = mine
      return shown(state[op.field], op.field)
    }
  }
}

@FreeThreaded({ name: 'Everything' })
export class Everything {
  @Shared('u32') id = 0
  @Shared('i8') i8 = 0
  @Shared('u8') u8 = 0
  @Shared('i16') i16 = 0
  @Shared('u16') u16 = 0
  @Shared('i32') i32 = 0
  @Shared('u32') u32 = 0
  @Shared('i64') i64 = 0n
  @Shared('u64') u64 = 0n
  @Shared('f32') f32 = 0
  @Shared('f64') f64 = 0
  @Shared('bool') bool = false
  @Shared(['open', 'closed', 'ajar']) door: 'open' | 'closed' | 'ajar' = 'open'
  @Shared('string') string = ''
  @Shared('bytes') bytes: Uint8Array = new Uint8Array(0)
  @Shared('json') json: any = null
  @Shared('u16[5]') few!: SharedArray<number>
  @Shared('f64[300]') many!: SharedArray<number>
  @Shared(ref(() => Everything)) other: Everything | null = null

  do(pool: readonly Everything[], op: Op, clock: Clock): Done {
    const result = perform(pool, op)
    return { op, result, place: tick(clock) }
  }

  /** Holds the lock over a turn of the event loop. */
  async doLater(pool: readonly Everything[], op: Op, clock: Clock, turn: Promise<unknown>): Promise<Done> {
    const place = tick(clock)
    await turn
    return { op, result: perform(pool, op), place }
  }

  @Reads()
  look(op: Op & { do: 'read' }, clock: Clock): Done {
    const place = tick(clock)
    return { op, result: shown(this[op.field], op.field), place }
  }
}

export async function doTo(pool: readonly Everything[], op: Op, how: How, clock: Clock): Promise<Done> {
  const object = pool[op.on]!
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  if (op.do === 'swap') {
    const both = [object, pool[op.with]!]
    if (how === 'sync' || how === 'locked') return locked(both, () => object.do(pool, op, clock))
    return lockedAsync(both, async () => {
      await turn()
      return object.do(pool, op, clock)
    })
  }
  if (op.do === 'read' && how === 'sync') return object.look(op, clock)
  if (how === 'sync') return object.do(pool, op, clock)
  if (how === 'locked') return locked(object, () => object.do(pool, op, clock))
  if (how === 'nonBlocking') return (await nonBlocking(object).do(pool, op, clock)) as Done
  if (how === 'lockedAsync') return lockedAsync(object, () => object.do(pool, op, clock))
  return object.doLater(pool, op, clock, turn())
}

/** The same state without decorators. */
export function plainState(id: number): State {
  const numbers = { i8: 0, u8: 0, i16: 0, u16: 0, i32: 0, u32: 0, i64: 0n, u64: 0n, f32: 0, f64: 0 }
  const others = { bool: false, door: 'open', string: '', bytes: new Uint8Array(0), json: null, other: null } as const
  const state: State = { id, ...numbers, ...others, few: [], many: [] }
  for (const [field, length] of [
    ['few', 5],
    ['many', 300],
  ] as const) {
    let kept = new Array<number>(length).fill(0)
    // Assigning copies, as it does where the numbers are shared.
    Object.defineProperty(state, field, {
      get: () => kept,
      set: (values: ArrayLike<number>) => (kept = Array.from(values)),
      enumerable: true,
    })
  }
  return state
}

const text = (next: (limit: number) => number): string => {
  const length = [0, 1, 7, 8, 31, 32, 100, 5000][next(8)]!
  const unit = ['a', 'é', '\ud83d', '語', '\u0000'][next(5)]!
  return unit.repeat(length) + String(next(10))
}

const pick = <T>(next: (limit: number) => number, ...values: readonly T[]): T => values[next(values.length)]!

const VALUES: Record<FieldName, (next: (limit: number) => number, objects: number) => unknown> = {
  i8: (next) => pick(next, -128, -1, 0, 127),
  u8: (next) => pick(next, 0, 128, 255),
  i16: (next) => pick(next, -32768, 0, 32767),
  u16: (next) => pick(next, 0, 65535),
  i32: (next) => pick(next, -(2 ** 31), -1, 0, 2 ** 31 - 1),
  u32: (next) => pick(next, 0, 2 ** 31, 2 ** 32 - 1),
  i64: (next) => pick(next, -(2n ** 63n), -1n, 0n, 2n ** 63n - 1n, BigInt(next(1 << 30)) * 0x100000001n),
  u64: (next) => pick(next, 0n, 2n ** 64n - 1n, BigInt(next(1 << 30)) * 0x100000001n),
  f32: (next) => pick(next, 0, -0, 1.5, Number.NaN, Infinity, Math.fround(0.1)),
  f64: (next) => pick(next, -0, 0.1, Number.MIN_VALUE, -Number.MAX_VALUE, Number.NaN, -Infinity, next(1 << 30) * 1e10),
  bool: (next) => next(2) === 1,
  door: (next) => pick(next, 'open', 'closed', 'ajar'),
  string: text,
  bytes: (next) => new Uint8Array(pick(next, 0, 1, 15, 16, 4000)).fill(next(256)),
  json: (next) =>
    pick<unknown>(
      next,
      null,
      undefined,
      text(next),
      { a: [next(9), text(next)], b: { c: new Date(next(1 << 30)) } },
      new Map([['k', new Set([1n, BigInt(next(99))])]]),
    ),
  few: (next) => Array.from({ length: 5 }, () => next(65536)),
  many: (next) => new Array<number>(300).fill(next(1 << 30)),
  other: (next, objects) => pick(next, null, next(objects)),
}

/** An operation by chance. */
export function chosenOp(next: (limit: number) => number, objects: number): Op {
  const on = next(objects)
  const field = FIELDS[next(FIELDS.length)]!
  const chosen = next(10)
  if (chosen < 4) return { do: 'write', on, field, value: VALUES[field](next, objects) }
  if (chosen < 7) return { do: 'read', on, field }
  if (chosen === 7) return { do: 'append', on, text: text(next) }
  if (chosen === 8) return { do: 'element', on, index: next(5), value: next(65536) }
  return { do: 'swap', on, with: next(objects), field }
}
