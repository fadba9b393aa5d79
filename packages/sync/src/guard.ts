/** What guards of all kinds have in common: they are used once, on their own thread, and can't leave it. */
import { DisconnectedError, FlatshareError, WrongThreadError } from '@flatshare/core'
import { type Call, MARSHALER, type Marshaler, ownThreadId, threadName } from '@flatshare/core/internal'

let abandonGuard: (guard: Guard) => void

/** Stands for something that is held: release it, once, on the thread that took it. */
export abstract class Guard implements Disposable {
  /** @internal */
  protected held = true
  /** @internal */
  readonly toJSON = guardText

  /** @internal What is held, for errors. */
  protected abstract describe(): string
  /** @internal Gives it up; with `unmended` because its holder has died, of which the next one is told. */
  protected abstract letGo(unmended?: boolean): void

  /**
   * Gives up what is held.
   *
   * @throws FlatshareError when this guard has done so already.
   */
  release(): void {
    this.checkHeld()
    // First: where the stack is used up nothing is given up, and the guard is good for another try.
    this.letGo()
    this.held = false
  }

  /** Gives up what is held, unless this guard has done so already. */
  [Symbol.dispose](): void {
    if (this.held) this.release()
  }

  /** @internal */
  protected checkHeld(): void {
    if (!this.held) throw spentGuard(this.describe())
  }

  static {
    abandonGuard = (guard) => {
      if (!guard.held) return
      guard.letGo(true)
      guard.held = false
    }
    keepOnItsThread(Guard, { describe: (guard) => guard.describe(), abandon: abandonGuard })
  }
}

/** As `release`, of a guard whose holder in another process has died. Again it does nothing. */
export function abandon(guard: Guard): void {
  abandonGuard(guard)
}

/**
 * Whether code that ran for another process, while something was held, was cut off because that process ended: what is
 * guarded may be half-changed then, as where a thread dies.
 */
export function isCutOff(error: unknown, call: Call | undefined): boolean {
  return error instanceof DisconnectedError && error.mayHaveRun && call?.signal.aborted === true
}

/** What is to be known of a class of guards. */
interface GuardClass<T> {
  /** What a guard stands for, in errors. */
  describe(guard: T): string
  /** Gives it up as one whose holder has died. */
  abandon(guard: T): void
}

/**
 * What a guard is in logs. Each guard has it as a property of its own: being a function, it makes structured
 * clone refuse the guard, which would be an empty object elsewhere.
 */
export function guardText(this: unknown): string {
  return 'a guard, which belongs to its thread'
}

/** The error for a guard of `what` that is used after its release. */
export function spentGuard(what: string): FlatshareError {
  return new FlatshareError(`${what} was released by this guard before.`)
}

/**
 * Refuses to hand the instances of a class of guards to other threads. Other processes have locks by proxies of this
 * thread's, and their guards too: what they hold is given up when they let go of the guard, and is abandoned when they end.
 */
export function keepOnItsThread<T extends Disposable>(
  Class: { readonly prototype: T },
  { describe, abandon }: GuardClass<T>,
): void {
  Object.defineProperty(Class.prototype, MARSHALER, {
    value: {
      kind: 'guard',
      model: 'single',
      // Who has locked by a proxy, from another process, holds the lock by this thread's guard.
      apart: 'reference',
      unheld: (guard, lost) => (lost ? abandon(guard) : guard[Symbol.dispose]()),
      marshal(guard: T): never {
        throw new WrongThreadError(
          `A guard of ${describe(guard)} can't leave the thread "${threadName(ownThreadId())}", which locked it. Hand over what it guards.`,
        )
      },
      unmarshal(): never {
        throw new WrongThreadError('A guard belongs to the thread that locked.')
      },
    } satisfies Marshaler<T>,
  })
}
