/**
 * What a link to another process goes over: frames of bytes, whole and in order, until one side is gone.
 *
 * This is all that a link asks for. Pipes, sockets and Node's own IPC are three such channels; one over a message broker
 * is another: it needs a way to send a frame, to receive frames, and to know that the other side is gone.
 *
 *   new      → started  by `start`; frames that came before are kept until then
 *   started  → closing  by `close`: what was sent still goes out
 *   any      → closed   `closed` is called, once; nothing comes or goes after it
 */

/** Who is told what comes. */
export interface FrameReceiver {
  /** A frame came. Its bytes are there until this returns; the receiver may keep those that are all of their buffer. */
  frame(bytes: Uint8Array): void
  /** Nothing comes any more: the other side is gone, or this one has closed; with the reason, where it wasn't meant. */
  closed(error?: Error): void
}

/** A way for frames between two processes. See the head of this module for what it must keep. */
export interface FrameChannel {
  /** What it is, for errors and inspection: `pipe`, `ipc`, `socket /run/mail.sock`, … */
  readonly what: string
  /** How many bytes a frame may have. */
  readonly maxFrame: number
  /** Begins to receive: frames in the order in which they were sent, then `closed` once. */
  start(receiver: FrameReceiver): void
  /**
   * Sends a frame, after all before it. The bytes are the channel's from then on. On a closed channel it does nothing.
   *
   * @throws RangeError for a frame of more than `maxFrame` bytes; then nothing was sent.
   */
  send(frame: Uint8Array): void
  /** Whether the other side keeps up. A frame sent while it doesn't is kept here, and takes memory. */
  readonly writable: boolean
  /** Calls back, once, as soon as `writable` is true, or the channel closed. */
  whenWritable(callback: () => void): void
  /**
   * Receives what has already come, and sends what waits, without the event loop: for a thread that blocks. Absent
   * where the channel can't.
   */
  drain?(): void
  /** Whether it keeps this process's event loop alive. It doesn't until it is told to. */
  hold(hold: boolean): void
  /** Sends what waits, then closes. */
  close(): void
  /** Closes at once; what waits is lost. */
  destroy(error?: Error): void
}
