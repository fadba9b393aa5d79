/** A call from another thread, from its arrival to its answer. */
import { CannotBlockError, DeadlockError, DisconnectedError } from '@flatshare/core'
import {
  type CallId,
  isThenable,
  keepOne,
  LARGE_ID,
  ownThreadId,
  runCall,
  type ThreadId,
  threadName,
  timeoutError,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import { admit, blockedCall } from './blocked-thread.js'
import { CallerCell } from './call-cells.js'
import type { CallTable } from './call-table.js'
import type { Gate, Turn } from './gate.js'
import { type CallMessage, type CancelMessage, type How, labelOf } from './messages.js'
import { isModuleClass } from './module-class.js'
import { callGivenUp, ServedCall } from './served-call.js'
import { isGenerator, stepsAreCalls } from './source-iteration.js'
import { type Stub, stubById } from './stub.js'

/** The thread that called, as far as serving it goes. */
export interface CallingPeer {
  readonly threadId: ThreadId
  /** Whether it shares no memory with this thread. */
  readonly apart: boolean
  /** Whether it may create objects of classes that this thread doesn't serve, by the URLs of their modules. */
  readonly mayLoad: boolean
  /** Receives, now and then, what has come from it, without serving any call. */
  lookApart(): void
  /** Calls of this peer that are not answered yet. */
  readonly serving: CallTable<IncomingCall>
  unpack(value: unknown, refs: CallMessage[6]): unknown
  /** Whether it was given that object of this thread. */
  gave(id: number): boolean
  answer(call: IncomingCall, value: unknown): void
  fail(call: IncomingCall, error: unknown): void
}

const { then } = Promise.prototype

const perform = ({ stub, how, member, args }: IncomingCall) => stub!.perform(how, member, args!)

/** A call of an object of this thread. */
export class IncomingCall extends ServedCall implements Turn {
  stub: Stub | undefined
  args: unknown[] | undefined
  /** Where it queues, if it does. */
  gate: Gate | undefined

  constructor(
    readonly from: CallingPeer,
    readonly how: How,
    readonly member: string,
    path: readonly CallId[],
    deadline: number | undefined,
    cell: CallerCell | undefined,
    replies: boolean,
  ) {
    super(from.threadId, path, deadline, cell, replies)
  }

  override get label(): string {
    return this.stub ? labelOf(this.stub.name, this.how, this.member) : super.label
  }

  override look(): void {
    if (this.from.apart) this.from.lookApart()
  }

  /** Takes its turn. */
  enter(): void {
    const gate = this.stub!.gate(this.member)
    if (!gate) this.start()
    else if (blockedCall() && this.replies && !gate.admits(this.path)) this.from.fail(this, deadlocked(this, gate))
    else {
      this.gate = gate
      gate.pass(this)
    }
  }

  /** Runs it and answers; true where it ends later. */
  start(): boolean {
    const { stub, from } = this
    const refusal = stub!.refusal()
    if (refusal || !this.begin()) return this.#failed(refusal ?? this.reason)
    let result: unknown
    try {
      result = runCall(this, perform)
      if (!isThenable(result)) return this.#succeeded(result)
    } catch (error) {
      return this.#failed(error)
    }
    this.args = undefined
    this.#settle(result)
    // It goes on when the blocked call has ended, which may be waiting for this one.
    if (blockedCall() && this.replies) from.fail(this, notReturned(this))
    return true
  }

  #settle(result: PromiseLike<unknown>): void {
    const { gate } = this
    void then.call(
      promiseOf(result),
      (value) => {
        try {
          this.#succeeded(value)
        } catch (error) {
          this.#failed(error)
        }
        gate?.leave(this)
      },
      (error: unknown) => {
        this.#failed(error)
        gate?.leave(this)
      },
    )
  }

  #succeeded(result: unknown): false {
    if (isGenerator(result)) this.#queueSteps(result)
    this.from.answer(this, result)
    return this.#letGo()
  }

  #failed(error: unknown): false {
    this.from.fail(this, error)
    return this.#letGo()
  }

  /** What it has begun may go on for ever, and keeps it as its own call; not what it came with. */
  #letGo(): false {
    this.stub = undefined
    this.args = undefined
    this.gate = undefined
    return false
  }

  /** The steps of a generator run its object's code: each is a call of its own, and takes its turn as this one. */
  #queueSteps(generator: object): void {
    const { stub, member, gate } = this
    stepsAreCalls(generator, { gate, label: `${stub!.name}.${member}()`, refusal: () => stub!.refusal() })
  }
}

keepOne(new IncomingCall({ threadId: 0 } as CallingPeer, 'call', '', [LARGE_ID], undefined, undefined, false))

export function serveCall(message: CallMessage, from: CallingPeer): void {
  // Unpacking may run code of users, which may receive the next message.
  const [, object, how, member, path, args, refs, deadline, cellNumber, turn, oneWay] = message
  const cell = cellNumber === undefined ? undefined : CallerCell.of(from.threadId, cellNumber, turn)
  trackAcrossAwait()
  const call = new IncomingCall(from, how, member, path, deadline, cell, oneWay !== true)
  from.serving.add(call)
  try {
    // At once, also where the call must wait: what came by reference is held from now on.
    call.args = from.unpack(args, refs) as unknown[]
  } catch (error) {
    from.fail(call, error)
    return
  }
  const stub = from.gave(object) ? stubById(object) : undefined
  if (!stub) {
    const label = `${call.member}()`
    from.fail(call, new DisconnectedError(`${label}: the object was let go at its home.`, { mayHaveRun: false }))
    return
  }
  if (from.apart && how === 'create' && !from.mayLoad && isModuleClass(member)) {
    from.fail(
      call,
      new TypeError('Only classes that are served here can be created from that process, by their names.'),
    )
    return
  }
  call.stub = stub
  admit(call, stub.immediate === true)
}

/** The turn of a call on which this thread's own blocked one depends doesn't come while that blocks. */
function deadlocked({ label }: IncomingCall, gate: Gate): DeadlockError {
  const thread = threadName(ownThreadId())
  const running = gate.running.join(' and ')
  const cycle = [
    `"${thread}" waits for ${blockedCall()!.label}`,
    `that waits for ${label}, called on "${thread}"`,
    `${label} waits for ${running}, which awaits on "${thread}"`,
  ]
  return new DeadlockError(`These wait for each other for ever: ${cycle.join('; ')}.`, { cycle })
}

/** What a call waits for that its caller has been blocked for for long; undefined where this thread blocks. */
export function whatWaits(id: CallId, from: CallingPeer): string | undefined {
  const call = from.serving.get(id)
  if (!call) return undefined
  const blocked = blockedCall()
  // Of another process nobody can see what it waits for, so that no cycle would be found.
  if (blocked)
    return from.apart ? `${call.label} waits there for ${blocked.label}, for which its thread blocks` : undefined
  if (call.begun) return `${call.label} has begun there, and awaits something`
  const running = call.gate?.running.join(' and ')
  return `${call.label} waits its turn there${running ? `, behind ${running}, which awaits something` : ''}`
}

function notReturned({ label }: IncomingCall): CannotBlockError {
  const thread = threadName(ownThreadId())
  return new CannotBlockError(
    `${label} gave a promise, which can't settle: its thread, "${thread}", is blocked in ${blockedCall()!.label}, which ` +
      `led to this call. What it has begun goes on after that. Let ${label} return its result at once, or don't block.`,
  )
}

/** What `await` would wait for: of a promise it asks no `then`, which may be anything. */
function promiseOf(result: PromiseLike<unknown>): Promise<unknown> {
  try {
    return result instanceof Promise ? Promise.resolve(result) : adopted(result)
  } catch (error) {
    return Promise.reject(error as Error)
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
  if (call?.begun === false) from.fail(call, callGivenUp())
}
