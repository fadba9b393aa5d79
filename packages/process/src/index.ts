/**
 * `@flatshare/process`: apartments in other processes. Import it where processes are opened, and in modules that a process
 * of your own starts; then `Apartment.open` takes what `childProcess` and `socket` give, and functions that start a process.
 */
import './open-source.js'
import { parentLink } from './parent.js'

export {
  type ChildHeartbeatOptions,
  type ChildProcessOptions,
  type ChildSource,
  childProcess,
  type OwnProcessOptions,
} from './child-options.js'
export type { HeartbeatOptions } from './heartbeat.js'
export { type Listener, type ListenLimits, type ListenOptions, type ListenSettings, listen } from './listen.js'
export { type ServeParentOptions, serveParent } from './parent.js'
export type { Rate } from './rate-limit.js'
export type { Restart, RestartOptions } from './restart-policy.js'
export type { ProcessExit } from './running-process.js'
export type { Secret } from './secret.js'
export type { SocketLinkOptions, SocketPlace, TcpPlace, UnixPlace } from './socket-options.js'
export { type SocketOptions, type SocketSource, socket } from './socket-source.js'

parentLink()?.stay()
