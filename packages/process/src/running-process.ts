/** A process that this one has started: how it ends, and how to end it. */
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { FlatshareError } from '@flatshare/core'

/** How a process has ended. */
export interface ProcessExit {
  readonly pid: number | undefined
  /** Its exit code; null where a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, as `'SIGKILL'`. */
  readonly signal: string | null
}

export class RunningProcess {
  exit: ProcessExit | undefined
  /** Resolves once it has ended, or could not be started. */
  readonly exited: Promise<ProcessExit>
  /** Why it could not be started. */
  startError: Error | undefined

  constructor(readonly child: ChildProcess) {
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: string | null) => {
        this.exit ??= { pid: child.pid, code, signal }
        resolve(this.exit)
      }
      if (child.exitCode !== null || child.signalCode !== null) ended(child.exitCode, child.signalCode)
      child.once('exit', ended)
      child.on('error', (error) => {
        // Also where a signal couldn't be sent: then it goes on.
        if (child.pid !== undefined) return
        this.startError = error
        ended(null, null)
      })
    })
  }

  /** As the first words of a sentence. */
  get name(): string {
    return this.which.replace('t', 'T')
  }

  /** As words within a sentence. */
  get which(): string {
    return this.child.pid === undefined ? 'the process' : `the process ${this.child.pid}`
  }

  /** What has ended it, as an error; undefined while it runs, and where it has ended well. */
  get failure(): Error | undefined {
    if (this.startError) return this.startError
    const { exit } = this
    if (!exit || exit.code === 0) return undefined
    const how = exit.signal === null ? `ended with exit code ${exit.code}` : `was ended by ${exit.signal}`
    const failure = new FlatshareError(`${this.name} ${how}.`)
    // Until its stack is read, an error keeps the objects whose methods are in it: here those that wait for this end.
    void failure.stack
    return failure
  }

  /** How it has ended, well or not, in words for its place in a sentence; undefined while that isn't known. */
  get end(): string | undefined {
    const { exit } = this
    if (!exit || this.startError) return undefined
    return exit.signal === null ? `has exited with code ${exit.code}` : `was ended by ${exit.signal}`
  }

  /** Whether it keeps this process's event loop alive, and what it prints, where that is read here. */
  hold(hold: boolean): void {
    const { child } = this
    for (const held of [child, child.stdout as Socket | null, child.stderr as Socket | null]) {
      if (hold) held?.ref()
      else held?.unref()
    }
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.exit) this.child.kill(signal)
  }
}
