/** Objects that end their thread, in each way there is, and objects that look on. */
import { Apartment, ApartmentThreaded, blocking, currentCall, type Remote } from '@flatshare/apartment'
import type { DisconnectedError } from '@flatshare/core'

export type Way = 'exit' | 'throw' | 'rejection' | 'memory'

@ApartmentThreaded()
export class Mortal {
  /** Ends its thread, this way, once `begun` has been called back. */
  async die(way: Way, begun: () => unknown): Promise<never> {
    await begun()
    if (way === 'exit') process.exit(3)
    if (way === 'memory') for (const kept: unknown[] = []; ; ) kept.push(new Array(1000).fill({}))
    if (way === 'rejection') void Promise.reject(new RangeError('by rejection'))
    setImmediate(() => {
      throw new RangeError('by throw')
    })
    return new Promise(() => {})
  }

  /** Calls something that doesn't answer. */
  async callOut(out: () => unknown): Promise<unknown> {
    return out()
  }

  async hold(witness: Remote<Witness>, begun: () => unknown): Promise<unknown> {
    return witness.wait(begun)
  }

  async forever(begun: () => unknown): Promise<never> {
    await begun()
    return new Promise(() => {})
  }

  ping(): string {
    return 'pong'
  }
}

/** Serves calls of a thread that ends, and makes calls to it. */
@ApartmentThreaded()
export class Witness {
  #reason: unknown

  /** Answers never; notes why nobody waits any more. */
  async wait(begun: () => unknown): Promise<never> {
    const { signal } = currentCall()!
    signal.addEventListener('abort', () => {
      this.#reason = signal.reason
    })
    void begun()
    return new Promise(() => {})
  }
}

@ApartmentThreaded()
export class Reporter {
  /** What becomes of a call of this thread to that one. */
  async call(mortal: Remote<Mortal>, begun: () => unknown): Promise<string> {
    return mortal.forever(begun).catch((error: Error) => `${error.name}: ${error.message}`)
  }

  /** The same of one that blocks. */
  block(mortal: Remote<Mortal>, way: Way | undefined, begun: () => unknown): string {
    try {
      return String(way ? blocking(mortal).die(way, begun) : blocking(mortal).forever(begun))
    } catch (error) {
      const { name, message, mayHaveRun } = error as DisconnectedError
      return `${name}: ${message} ${mayHaveRun}`
    }
  }
}

let inner: Apartment<{ Mortal: typeof Mortal }> | undefined

/** Opens an apartment from here, and makes an object there. */
export async function openInner(): Promise<Remote<Mortal>> {
  inner = await Apartment.open<{ Mortal: typeof Mortal }>(new URL(import.meta.url), { name: 'inner' })
  return inner.create('Mortal')
}

export const exit = (): never => process.exit(0)
