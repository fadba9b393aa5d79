/**
 * `@flatshare/thread-aware`: a context of its own for every thread that uses an object.
 *
 * - `ThreadAware`: the class decorator; it goes beside a threading model.
 * - `PerThread`: a field of which each thread has its own.
 * - `threadContext`: this thread's context, as a record.
 */
export { PerThread, type PerThreadDecorator, type PerThreadFactory } from './per-thread.js'
export { ThreadAware, type ThreadAwareDescription, threadContext } from './thread-aware.js'
