/**
 * Values without references, instances of classes and bytes, as the codec of links within a process writes them: that takes
 * half as long as V8's serialization, for the keys of objects are sent once, and looks for references on the way.
 *
 * It writes and reads in shared memory. So what goes to another process is copied out of a block of it, and what comes is
 * copied in.
 */
import { NotMarshalableError } from '@flatshare/core'
import {
  allocate,
  decodeFromArena,
  encodeInto,
  free,
  onOwnExit,
  ReceivedShapes,
  reach,
  SentShapes,
  views,
} from '@flatshare/core/internal'

/** What takes more goes another way. */
export const MOST_BARE_BYTES = 1 << 15

const memory = views

/** One for this thread, from its first value on. */
let block = 0
let isUsed = false

/** Calls back with room for a value. Code of users that encoding runs may send, too: it gets a block of its own. */
function withRoom<R>(use: (at: number) => R): R {
  if (block !== 0 && !isUsed) {
    isUsed = true
    try {
      return use(block)
    } finally {
      isUsed = false
    }
  }
  const own = allocate(MOST_BARE_BYTES)
  reach(own + MOST_BARE_BYTES)
  if (block === 0) {
    block = own
    onOwnExit(() => free(own, MOST_BARE_BYTES))
    return withRoom(use)
  }
  try {
    return use(own)
  } finally {
    free(own, MOST_BARE_BYTES)
  }
}

/** Encodes what goes by one link. All that it gave must be sent, in that order: later values refer to the keys in it. */
export class BareEncoder {
  readonly #shapes = new SentShapes()
  readonly #one = { bare: true, list: false, shapes: this.#shapes }
  readonly #list = { bare: true, list: true, shapes: this.#shapes }

  /**
   * Calls back with the bytes of a value, `atMost` so many, which are there until it returns; false where the value must go
   * another way. `list` says that it is an array of the caller's own making, without holes.
   *
   * @throws what getters of users throw.
   */
  encode(
    value: unknown,
    list: boolean,
    atMost: number,
    take: (memory: Uint8Array, start: number, end: number) => void,
  ): boolean {
    const most = Math.min(atMost, MOST_BARE_BYTES)
    return withRoom((at) => {
      let end: number | Uint8Array | undefined
      try {
        end = encodeInto(value, at, at + most, most, list ? this.#list : this.#one)
      } catch (error) {
        // The other way says what is wrong with it.
        if (!(error instanceof NotMarshalableError)) throw error
      }
      if (end === undefined) return false
      if (typeof end === 'number') take(memory.u8, at, end)
      else take(end, 0, end.length)
      return true
    })
  }
}

/** Decodes what came by one link, in the order in which it was encoded. */
export class BareDecoder {
  readonly #options = { from: 0, bare: true, shapes: new ReceivedShapes() }

  /**
   * @throws FlatshareError for bytes that are damaged, NotMarshalableError for what is nested too deeply for the stack as
   * it is now.
   */
  decode(bytes: Uint8Array, start: number, end: number): unknown {
    const length = end - start
    return withRoom((at) => {
      const u8 = memory.u8
      if (length < 256) for (let i = 0; i < length; i++) u8[at + i] = bytes[start + i]!
      else u8.set(bytes.subarray(start, end), at)
      return decodeFromArena(at, at + length, this.#options)
    })
  }
}
