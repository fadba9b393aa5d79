/** A call from another thread, from its arrival to its answer. */
import { CannotBlockError, DeadlockError, DisconnectedError } from '@flatshare/core'
import {
  type CallId,
  isThenable,
  ownThreadId,
  runInFrame,
  type ThreadId,
  threadName,
  timeoutError,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import { admit, blockedCall } from './blocked-thread.js'
import { CallerCell } from './call-cells.js'
import type { Gate } from './gate.js'
import { type CallMessage, type CancelMessage, type How, labelOf } from './messages.js'
import { callGivenUp, ServedCall } from './served-call.js'
import { isGenerator, stepsAreCalls } from './source-iteration.js'
import { type Stub, stubById } from './stub.js'

/** The thread that called, as far as serving it goes. */
export interface CallingPeer {
  readonly threadId: ThreadId
  /** Calls of this peer that are not answered yet. */
  readonly serving: Map<CallId, ServedCall>
  unpack(value: unknown, refs: CallMessage[6]): unknown
  /** Whether it was given that object of this thread. */
  gave(id: number): boolean
  answer(call: CallId, value: unknown): void
  fail(call: CallId, error: unknown): void
}

export function serveCall(message: CallMessage, from: CallingPeer): void {
  const [, object, how, member, path, args, refs, deadline, cell, turn, oneWay] = message
  trackAcrossAwait()
  const call = new ServedCall(from.threadId, path, deadline, CallerCell.of(from.threadId, cell, turn), !oneWay)
  const { id } = call
  from.serving.set(id, call)
  let list: unknown[]
  try {
    // At once, also where the call must wait: what came by reference is held from now on.
    list = from.unpack(args, refs) as unknown[]
  } catch (error) {
    from.fail(id, error)
    return
  }
  const stub = from.gave(object) ? stubById(object) : undefined
  if (!stub) {
    from.fail(id, new DisconnectedError(`${member}(): the object was let go at its home.`, { mayHaveRun: false }))
    return
  }
  call.label = labelOf(stub.name, how, member)
  admit(path, stub.immediate === true, () => {
    const begin = () => run(stub, how, member, list, call, from)
    const gate = stub.gate(member)
    if (!gate) void begin()
    else if (blockedCall() && call.replies && !gate.admits(path)) from.fail(id, deadlocked(call, gate))
    else {
      call.gate = gate
      gate.pass(path, begin, call.label)
    }
  })
}

/** The turn of a call on which this thread's own blocked one depends doesn't come while that blocks. */
function deadlocked({ label }: ServedCall, gate: Gate): DeadlockError {
  const thread = threadName(ownThreadId())
  const running = gate.running.join(' and ')
  const cycle = [
    `"${thread}" waits for ${blockedCall()!.label}`,
    `that waits for ${label}, called on "${thread}"`,
    `${label} waits for ${running}, which awaits on "${thread}"`,
  ]
  return new DeadlockError(`These wait for each other for ever: ${cycle.join('; ')}.`, { cycle })
}

/** What a call waits for that is served here, for its caller who has been blocked for long; undefined where this thread blocks. */
export function whatWaits(id: CallId, from: CallingPeer): string | undefined {
  const call = from.serving.get(id)
  if (!call || blockedCall()) return undefined
  if (call.begun) return `${call.label} has begun there, and awaits something`
  const running = call.gate?.running.join(' and ')
  return `${call.label} waits its turn there${running ? `, behind ${running}, which awaits something` : ''}`
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
  const { id } = call
  const refusal = stub.refusal()
  if (refusal || !call.begin()) {
    from.fail(id, refusal ?? call.reason)
    return undefined
  }
  let result: unknown
  try {
    result = runInFrame({ parent: undefined, call }, () => stub.perform(how, member, args))
    if (!isThenable(result)) {
      queueSteps(result, stub, member)
      from.answer(id, result)
      return undefined
    }
  } catch (error) {
    from.fail(id, error)
    return undefined
  }
  const settled = settle(result, stub, member, id, from)
  // It goes on when the blocked call has ended, which may be waiting for this one.
  if (blockedCall() && call.replies) from.fail(id, notReturned(call))
  return settled
}

function notReturned({ label }: ServedCall): CannotBlockError {
  const thread = threadName(ownThreadId())
  return new CannotBlockError(
    `${label} gave a promise, which can't settle: its thread, "${thread}", is blocked in ${blockedCall()!.label}, which ` +
      `led to this call. What it has begun goes on after that. Let ${label} return its result at once, or don't block.`,
  )
}

/** Awaits the result, as code of this thread would: whatever a thenable does, this never rejects. */
async function settle(
  result: PromiseLike<unknown>,
  stub: Stub,
  member: string,
  id: CallId,
  from: CallingPeer,
): Promise<void> {
  try {
    const value = await (result instanceof Promise ? result : adopted(result))
    queueSteps(value, stub, member)
    from.answer(id, value)
  } catch (error) {
    from.fail(id, error)
  }
}

/** A thenable that gives itself would be asked again for ever, from one microtask to the next. */
function adopted(thenable: PromiseLike<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    thenable.then((value) => {
      if (value === thenable)
        reject(new TypeError('The result is a thenable that resolves to itself: it never settles.'))
      else resolve(value)
    }, reject)
  })
}

/** The caller wants a call no more: one that waits its turn is answered now, and never runs. */
export function cancelCall([, id, timedOut, ...carried]: CancelMessage, from: CallingPeer): void {
  let reason: unknown = timedOut ? timeoutError("The caller's deadline has passed.") : callGivenUp()
  if (carried.length > 0) {
    try {
      // Also where the call has ended, so that what the reason refers to is let go in time.
      reason = from.unpack(carried[0], carried[1])
    } catch {
      // The one that says no more than that stands for it.
    }
  }
  const call = from.serving.get(id)
  call?.giveUp(reason)
  if (call?.begun === false) from.fail(id, callGivenUp())
}

/** The steps of a generator run its object's code: each is a call of its own, and takes its turn as the call that gave it. */
function queueSteps(result: unknown, stub: Stub, member: string): void {
  if (!isGenerator(result)) return
  const label = `${stub.name}.${member}()`
  stepsAreCalls(result, { gate: stub.gate(member), label, refusal: () => stub.refusal() })
}
