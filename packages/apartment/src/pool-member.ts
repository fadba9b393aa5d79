/** One thread of a pool, with its replicas and what it has to do. */
import type { Apartment } from './apartment.js'
import type { Wanted, WorkerThread } from './apartment-thread.js'
import { isProxy, referenceOf } from './proxy.js'
import type { Reference } from './reference.js'
import { ROOT } from './stub.js'

/** A class of which each thread of a pool has an object. */
export interface Replicated {
  readonly wanted: Wanted
  readonly args: unknown[]
}

export class PoolMember {
  /** Calls that the pool has given it and that haven't ended. */
  running = 0
  /** Calls that it was given so far. */
  given = 0
  /** Asked whether it may end: it gets no calls meanwhile. */
  leaving = false
  /** Stops the wait for its idleness to last. */
  stopIdling: (() => void) | undefined
  readonly #replicas = new Map<Replicated, object>()

  constructor(
    readonly thread: WorkerThread,
    readonly apartment: Apartment,
  ) {}

  /** Whether it has ended, or is about to. */
  get gone(): boolean {
    return !this.thread.isOpen
  }

  /** Calls, the pool's and others, that this thread awaits from it. */
  get calls(): number {
    return this.running + this.thread.peer.load
  }

  /** References that this thread holds to what lives there, apart from the pool's own: those of its replicas and remote. */
  get objects(): number {
    return this.thread.peer.held - this.#replicas.size - 1
  }

  /** Makes its object of a class. */
  async equip(replicated: Replicated): Promise<object> {
    const { wanted, args } = replicated
    const replica = (await this.thread.create(wanted, args)) as object
    if (!isProxy(replica)) throw new TypeError('Only a class whose objects live on their thread can be replicated.')
    this.#replicas.set(replicated, replica)
    return replica
  }

  replica(replicated: Replicated): object {
    return this.#replicas.get(replicated)!
  }

  /** The reference of its object of a class. */
  reference(replicated: Replicated): Reference {
    return referenceOf(this.replica(replicated))!
  }

  drop(replicated: Replicated): void {
    const replica = this.#replicas.get(replicated)
    this.#replicas.delete(replicated)
    if (replica) referenceOf(replica)!.release()
  }

  /** Drops what isn't replicated any more. */
  keepOnly(replicated: ReadonlySet<Replicated>): void {
    for (const one of [...this.#replicas.keys()]) if (!replicated.has(one)) this.drop(one)
  }

  /** Whether nobody, here or elsewhere, holds anything of the thread but its replicas. */
  async isUnused(): Promise<boolean> {
    const held = await this.thread.peer.call({ id: ROOT, name: 'served' }, 'idle', '', [], {})
    return (held as number) <= this.#replicas.size
  }
}

/** The member with the least of the first load; among equals, of the next; and the first of those. */
function least(members: PoolMember[], loads: Array<(member: PoolMember) => number>): PoolMember | undefined {
  let best = members[0]
  for (const member of members) {
    const difference = loads.map((load) => load(member) - load(best!)).find((by) => by !== 0)
    if (difference !== undefined && difference < 0) best = member
  }
  return best
}

/** Who has the fewest calls; of equals the first, so that the last can rest. */
export function leastCalled(members: PoolMember[]): PoolMember | undefined {
  return least(members, [({ running }) => running, ({ calls }) => calls])
}

/** Where the fewest objects live. */
export function leastInhabited(members: PoolMember[]): PoolMember | undefined {
  return least(members, [({ objects, running }) => objects + running, ({ calls }) => calls])
}
