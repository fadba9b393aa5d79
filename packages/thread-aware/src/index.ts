/**
 * `@flatshare/thread-aware`: a context of its own for every thread that uses an object.
 *
 * - `ThreadAware`: the class decorator; it goes beside a threading model.
 * - `PerThread`: a field of which each thread has its own.
 * - `threadContext`: this thread's context, as a record; `contextsOf`: all that there are, for inspection.
 */
export { PerThread, type PerThreadDecorator, type PerThreadFactory } from './per-thread.js'
export { ThreadAware, type ThreadAwareDescription } from './thread-aware.js'
export { contextsOf, type ThreadContext, threadContext } from './thread-context.js'
