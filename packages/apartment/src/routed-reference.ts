/**
 * The reference under a proxy whose calls are routed: the thread behind it is chosen for each call, or has yet to be
 * reached.
 */
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import { ownThreadId } from '@flatshare/core/internal'
import type { CallSettings } from './call-settings.js'
import { memberKey, nameServedClass, sayOfClass } from './description.js'
import type { How } from './messages.js'
import { Reference } from './reference.js'
import type { RemoteDescription } from './remote-description.js'

export interface Router {
  /** What `console.log` says of where it lives. */
  readonly place: string
  /** Whether this thread may end the ones that calls go to. */
  readonly ownThreads: boolean
  /** Makes the call. It never throws. */
  call(how: How, member: string, args: unknown[], settings: CallSettings | undefined): Promise<unknown>
  /** Where a call that can't wait goes, now; `label` is what errors call it. */
  nearest(label: string): Reference
  /** Nobody uses the proxy any more. */
  released?(): void
}

export class RoutedReference extends Reference {
  readonly #router: Router
  #standIn: object | undefined

  constructor(description: RemoteDescription, router: Router) {
    super(ownThreadId(), 0, description)
    this.#router = router
  }

  override get homeName(): string {
    return this.#router.place
  }

  override call(how: How, member: string, args: unknown[], _keep?: unknown, settings?: CallSettings): Promise<unknown> {
    if (!this.released) return this.#router.call(how, member, args, settings)
    return Promise.reject(
      new DisconnectedError(`${this.name}: this proxy was released; the call was not made.`, { mayHaveRun: false }),
    )
  }

  override get isOfOwnThread(): boolean {
    return this.#router.ownThreads
  }

  override route(label: string): Reference {
    return this.#router.nearest(label)
  }

  override release(): void {
    if (this.released) return
    this.released = true
    this.#router.released?.()
  }

  /** Other threads' calls come here, and are routed as this thread's own. */
  override get standIn(): object {
    if (this.description.anyMember) {
      throw new NotMarshalableError(
        `The remote of "${this.homeName}" can't cross to another thread: hand on an object that is served there.`,
      )
    }
    return (this.#standIn ??= this.#makeStandIn())
  }

  #makeStandIn(): object {
    const Class = class {}
    const { name, methods, getters } = this.description
    for (const member of methods) {
      const value = (...args: unknown[]) => this.call('call', member, args)
      Object.defineProperty(Class.prototype, memberKey(member), { value })
    }
    for (const member of getters) {
      Object.defineProperty(Class.prototype, member, { get: () => this.call('get', member, []) })
    }
    nameServedClass(Class, name)
    sayOfClass(Class, { interleaved: true })
    return new Class()
  }
}
