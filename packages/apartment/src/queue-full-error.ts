import { FlatshareError, registerError } from '@flatshare/core'

/** A pool took no call: all its threads are busy, and as many calls wait as its `maxQueue` allows. It was not made. */
export class QueueFullError extends FlatshareError {}

// The name survives minifiers.
Object.defineProperty(QueueFullError.prototype, 'name', { value: 'QueueFullError', writable: true, configurable: true })
registerError({ QueueFullError })
