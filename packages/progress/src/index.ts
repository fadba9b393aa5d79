/**
 * `@flatshare/progress`: one object that says how far something is. Any thread reports, any thread
 * watches, any thread cancels.
 *
 * - `Progress`: reports cost tens of nanoseconds and send no message; `child` takes a part of it;
 *   `cancel` reaches every thread that holds it.
 * - `mirrorProgress`, `mirroredProgress`: the same at the other end of a port where memory isn't shared.
 * - `@flatshare/progress/terminal` draws it.
 */
import './apart.js'

export { type MirrorOptions, mirroredProgress, mirrorProgress } from './mirror.js'
export type { ChildOptions, ProgressOptions } from './options.js'
export { Progress } from './progress.js'
export type { ProgressSnapshot } from './snapshot.js'
export type { WatchOptions } from './watch.js'
