/**
 * `flatshare`: thread-safe objects for TypeScript, all of it in one import. Each part is a package of its
 * own, which says more: `@flatshare/core`, `sync`, `free-threaded`, `thread-aware`, `apartment`,
 * `progress`, `advise-sink`. `flatshare/process` is the part for other processes.
 *
 * Three words are enough to begin with. An *apartment* is a thread with objects of its own; a *remote* is
 * what other threads hold of such an object; a *shared* field lies in memory that all threads see.
 */
export * from '@flatshare/advise-sink'
export * from '@flatshare/apartment'
export * from '@flatshare/core'
export * from '@flatshare/free-threaded'
export * from '@flatshare/progress'
export * from '@flatshare/sync'
export * from '@flatshare/thread-aware'
