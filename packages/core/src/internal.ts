/**
 * What the packages of Flatshare build on. Not for programs: it changes without notice.
 *
 * @experimental
 */

export {
  afterMicrotasks,
  bufferToFill,
  clock,
  type Endpoint,
  endThread,
  hasEnded,
  holdOpen,
  holdWorker,
  isPort,
  isProxy,
  listen,
  listenTo,
  loadModule,
  markUncloneable,
  observeWorkerError,
  onOwnExit,
  onWorkerError,
  type Port,
  parallelism,
  parentEndpoint,
  processId,
  readsPortsNow,
  receiveNow,
  reordersReads,
  reportsWorkerExit,
  runMicrotasks,
  type StartedWorker,
  soon,
  startingArguments,
  startWorker,
  type Terminal,
  terminal,
  type WorkerOutput,
  type WorkerSettings,
  warn,
} from '#platform'
export { allocate, free } from './allocator.js'
export { calleeOf, noteCall, refuseCycle, waitsForThis } from './blocked-calls.js'
export { crossByReference, isByReference } from './by-reference.js'
export {
  type Call,
  type CallId,
  callingThread,
  callOf,
  causality,
  currentCall,
  currentFrame,
  type Frame,
  forgetHolding,
  holdsInFrame,
  holdsOnPath,
  LARGE_ID,
  makerOf,
  newCallId,
  noteHolding,
  runCall,
  runInFrame,
  runsForItself,
  serialOf,
  trackAcrossAwait,
} from './call.js'
export { decodeAt, decodeValue, encodeValue, freeValue, readValue, type WrittenValue, writeValue } from './codec.js'
export { decodeFromArena, encodeInto, evictEncoding, releaseInArena } from './codec-arena.js'
export type { LinkDecodeOptions } from './codec-decode.js'
export type { EncodeOptions, LinkEncodeOptions } from './codec-encode.js'
export { viewClasses } from './codec-format.js'
export { ReceivedShapes, SentShapes } from './codec-shapes.js'
export { tracksItsBuffer, viewNumber } from './codec-views.js'
export { announce, fallAsleep, hasDoorbell, isAwake, nap, onBell, postsNow, spin, stayAwake } from './doorbell.js'
export { type CarryingCall, noteDowngrade } from './downgrade.js'
export { abortReason, timeoutError } from './errors.js'
export { type ForeignThread, foreignAt, foreignHome, joinForeign, processName, type ThreadHome } from './foreign.js'
export { copyFrozen, frozenAfar } from './frozen.js'
export {
  type ApartPacking,
  containsReference,
  type PackedGraph,
  type PackedReference,
  packGraph,
  releaseApart,
  releaseReferences,
  unpackGraph,
} from './graph.js'
export { posted, postedToSomebody, postsOf, receiveUntil } from './inbox.js'
export {
  firstThread,
  type NotificationMode,
  notificationMode,
  onLastRelease,
  type ReleaseHook,
} from './initialize.js'
export { onIntroduction } from './introduction.js'
export { keepOne, keepPromise } from './kept-shapes.js'
export { onLastWords, sayLastWords } from './last-words.js'
export { drainLines, introduce, onThreadExitInternal, settleExits, type ThreadExit } from './lifecycle.js'
export {
  MARSHALER,
  type MarshalContext,
  type Marshaler,
  marshalerFor,
  marshalerModules,
  marshalerOf,
  registerMarshaler,
  type UnmarshalContext,
} from './marshaler.js'
export {
  describeMember,
  type MemberContext,
  type MemberNote,
  type MemberNotes,
  memberNotes,
  noteMember,
  ownMemberNotes,
} from './members.js'
export {
  arena,
  arenaLimit,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  limitArena,
  reach,
  THREAD_SLOTS,
  u8,
  u16,
  u32,
  u64,
  views,
} from './memory.js'
export { declareModel, type ModelRecord, modelRecord, ownModelRecord } from './models.js'
export { objectEnded, onObjectEnd } from './object-end.js'
export {
  beforePark,
  LOOK_AGAIN,
  type ParkOptions,
  park,
  parkedAt,
  parkedOnNode,
  slotBlock,
  timesParked,
  waitNote,
} from './park.js'
export { type Raised, RaisedBatch } from './raised-batch.js'
export { type EventCount, RaisedEvent, type SeenEvent } from './raised-event.js'
export { RaisedRun, RunPart } from './raised-run.js'
export { sharedBlock } from './shared-block.js'
export { lockShortly, unlockShortly } from './short-lock.js'
export { type SynchronousMember, synchronousMembers, synchronousOnly } from './synchronous-only.js'
export { isThenable } from './thenable.js'
export {
  canBlock,
  hasThreadEnded,
  isAlive,
  isForeign,
  livingThreads,
  mainThreadId,
  nameThread,
  ownThreadId,
  type ThreadId,
  threadName,
  threadsEnded,
} from './threads.js'
export { checkedTimeout, startDeadline, startTimer, timerDelay } from './timeout.js'
export { moves } from './transfer.js'
export { waitAsync, wakeWaiters } from './wait.js'
export { type FunctionKind, functionKind, wearFace, wrapMember } from './wrapping.js'
