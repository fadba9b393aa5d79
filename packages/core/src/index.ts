/**
 * `@flatshare/core`: who the threads are, how they may use an object, and how it crosses.
 *
 * - `currentThread`, `onThreadExit`: the running thread, and the end of others.
 * - `initialize`: options for all threads, and the end of what Flatshare started; nobody has to.
 * - `marshal`, `unmarshal`, `byReference`: an object's way to another thread, by hand.
 * - `transfer`, `registerCodec`, `registerError`: what moves, and what crosses as a copy of its class.
 * - `modelOf`, `requireModel`: how a class or a reference behaves here; `onDowngrade`: where one behaves as less than it is.
 * - `currentCall`, `callingThread`, `causality`: on whose behalf the running code runs.
 * - the error family.
 *
 * The decorators are in the packages above: `@flatshare/free-threaded`, `@flatshare/apartment`.
 */
import './url-marshalers.js'

export { byReference } from './by-reference.js'
export { type Call, type CallId, callingThread, causality, currentCall } from './call.js'
export { type ClassCodec, registerCodec } from './class-codecs.js'
export type { AsItself, CrossesAsItself, crossesAsItself } from './crossing-types.js'
export { type Downgrade, onDowngrade } from './downgrade.js'
export { type ErrorClass, registerError } from './error-marshaler.js'
export {
  AbandonedError,
  CannotBlockError,
  DeadlockError,
  DisconnectedError,
  DowngradeError,
  FlatshareError,
  NotMarshalableError,
  WrongThreadError,
} from './errors.js'
export { type Initialization, type InitializeOptions, initialize, type NotificationMode } from './initialize.js'
export { onThreadExit, type ThreadExit } from './lifecycle.js'
export { modelOf, requireModel, type ThreadingModel } from './models.js'
export { isPacket, type MarshalOptions, marshal, type Packet, unmarshal } from './packet.js'
export { type CurrentThread, currentThread, type ThreadId } from './threads.js'
export { transfer } from './transfer.js'
