/**
 * Primitives of `@flatshare/sync` as values: what their marshaler says of them, encoded, in a block as
 * those of bytes. The heap doesn't own them; they live as long as the process.
 */
import { FlatshareError } from '@flatshare/core'
import { decodeAt, encodeValue, MARSHALER, type Marshaler, marshalerFor, ownThreadId } from '@flatshare/core/internal'
import { bytesAt, makeBytes } from './bytes-cell.js'
import type { CellType } from './cell-type.js'
import { valueCell } from './owning-cell.js'
import type { ReferenceType } from './reference-type.js'

const kindOf = (value: object): string | undefined => (value as { [MARSHALER]?: Marshaler })[MARSHALER]?.kind

/** What marshals free-threaded objects themselves. */
const FREE = 'free'

/** The type of a primitive; undefined for what is none, or not there yet. */
export function lockCell({ classOf }: ReferenceType<object>): CellType<object | null> | undefined {
  let Class: unknown
  try {
    Class = classOf()
  } catch {
    return undefined // declared later
  }
  const prototype = typeof Class === 'function' ? (Class.prototype as object | undefined) : undefined
  const marshaler = prototype && (prototype as { [MARSHALER]?: Marshaler })[MARSHALER]
  if (marshaler?.model !== 'free' || marshaler.kind === FREE) return undefined
  return lockCellNamed(marshaler.kind)
}

const types = new Map<string, CellType<object | null>>()

/** The type of the primitives of a kind. */
export function lockCellNamed(kind: string): CellType<object | null> {
  let type = types.get(kind)
  if (!type) types.set(kind, (type = makeType(kind)))
  return type
}

function makeType(kind: string): CellType<object | null> {
  return valueCell<object | null>({
    name: `lock ${kind}`,
    range: `a ${kind} of @flatshare/sync, or null`,
    valueType: 'object',
    takes: (value): value is object | null => value === null || (typeof value === 'object' && kindOf(value) === kind),
    prepare: (value) => (value === null ? new Uint8Array(0) : encodeValue(bodyOf(value))),
    make: makeBytes,
    decode(block) {
      if (block === 0) return null
      const marshaler = marshalerFor(kind)
      if (!marshaler) {
        throw new FlatshareError(`A shared value is a ${kind}, and this thread hasn't imported @flatshare/sync.`)
      }
      const { start, length } = bytesAt(block)
      return marshaler.unmarshal(decodeAt(start, length), { from: ownThreadId() }) as object
    },
    isKept: () => true,
  })
}

const bodyOf = (value: object): unknown =>
  (value as { [MARSHALER]: Marshaler })[MARSHALER].marshal(value, {
    transferList: [],
    to: undefined,
    table: true,
    pack: (x) => x,
  })
