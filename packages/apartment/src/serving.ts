/** A call from another thread, from its arrival to its answer. */
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import {
  type Call,
  type CallId,
  runInFrame,
  type ThreadId,
  timeoutError,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import type { CallMessage, How } from './messages.js'
import { type Stub, stubById } from './stub.js'

/** The thread that called, as far as serving it goes. */
export interface CallingPeer {
  readonly threadId: ThreadId
  /** Calls of this peer that are not answered yet. */
  readonly serving: Map<CallId, ServedCall>
  unpack(value: unknown, refs: CallMessage[6]): unknown
  answer(call: CallId, value: unknown): void
  fail(call: CallId, error: unknown): void
}

export class ServedCall implements Call {
  #controller: AbortController | undefined
  #reason: unknown
  givenUp = false

  constructor(
    readonly caller: ThreadId,
    readonly path: readonly CallId[],
    readonly deadline: number | undefined,
  ) {}

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.givenUp) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  giveUp(timedOut: boolean): void {
    this.givenUp = true
    this.#reason = timedOut
      ? timeoutError("The caller's deadline has passed.")
      : new DOMException('The caller gave the call up.', 'AbortError')
    this.#controller?.abort(this.#reason)
  }
}

export function serveCall([, object, how, member, path, args, refs, deadline]: CallMessage, from: CallingPeer): void {
  trackAcrossAwait()
  const id = path[path.length - 1]!
  const call = new ServedCall(from.threadId, path, deadline)
  from.serving.set(id, call)
  let list: unknown[]
  try {
    // At once, also where the call must wait: what came by reference is held from now on.
    list = from.unpack(args, refs) as unknown[]
  } catch (error) {
    from.fail(id, error)
    return
  }
  const stub = stubById(object)
  if (!stub) {
    from.fail(id, new DisconnectedError(`${member}(): the object was let go at its home.`, { mayHaveRun: false }))
    return
  }
  const start = () => run(stub, how, member, list, call, from)
  const gate = stub.gate(member)
  if (gate) gate.pass(path, start)
  else void start()
}

/** Runs the call and answers; gives a promise where it ends later. */
function run(
  stub: Stub,
  how: How,
  member: string,
  args: unknown[],
  call: ServedCall,
  from: CallingPeer,
): Promise<void> | undefined {
  const id = call.path[call.path.length - 1]!
  const refusal = stub.refusal()
  if (refusal || call.givenUp) {
    from.fail(id, refusal ?? call.signal.reason)
    return undefined
  }
  let result: unknown
  try {
    result = runInFrame({ parent: undefined, call }, () => stub.perform(how, member, args))
    if (!isThenable(result)) {
      refuseIterable(result, stub, member)
      from.answer(id, result)
      return undefined
    }
  } catch (error) {
    from.fail(id, error)
    return undefined
  }
  return Promise.resolve(result)
    .then((value) => {
      refuseIterable(value, stub, member)
      from.answer(id, value)
    })
    .catch((error) => from.fail(id, error))
}

function isThenable(x: unknown): x is PromiseLike<unknown> {
  return x !== null && typeof x === 'object' && typeof (x as { then?: unknown }).then === 'function'
}

function refuseIterable(x: unknown, stub: Stub, member: string): void {
  if (typeof x !== 'object' || x === null) return
  const { next, [Symbol.asyncIterator]: iterate } = x as AsyncGenerator
  if (typeof iterate !== 'function' && !(typeof next === 'function' && Symbol.iterator in x)) return
  throw new NotMarshalableError(
    `${stub.name}.${member}() gave an iterator, which can't cross to another thread: give an array, or take a ` +
      'callback that is called for each item.',
  )
}
