/** What is known here of the kinds of objects that live on other threads. */
import { FlatshareError } from '@flatshare/core'
import { onThreadExitInternal, type SynchronousMember, type ThreadId } from '@flatshare/core/internal'
import type { About } from './messages.js'
import { FUNCTION, SERVED } from './stub.js'

export interface RemoteDescription {
  readonly id: number
  readonly name: string
  readonly isFunction: boolean
  readonly methods: readonly string[]
  readonly getters: readonly string[]
  readonly setters?: readonly string[]
  /** The methods that surely give an iterator. */
  readonly generators?: readonly string[]
  /** The members that it refuses where they would answer later. */
  readonly synchronous?: readonly SynchronousMember[]
  /** What it has isn't known here: each name is taken for a method and for a getter. */
  readonly anyMember?: true
}

const descriptions = new Map<ThreadId, Map<number, RemoteDescription>>()

onThreadExitInternal(({ id }) => {
  descriptions.delete(id)
})

/**
 * Notes what came with a reference, or finds what came with one before.
 *
 * @throws FlatshareError for what is no description.
 */
export function learn(home: ThreadId, about: About): RemoteDescription {
  if (!Array.isArray(about) || !Number.isInteger(about[0]))
    throw new FlatshareError('A reference came without its class.')
  const [id, name, ...members] = about
  if (id === FUNCTION) return { ...description(id, name ?? 'function', []), isFunction: true }
  if (id === SERVED) return description(id, name, members)
  let known = descriptions.get(home)
  if (!known) descriptions.set(home, (known = new Map()))
  let found = known.get(id)
  if (!found) known.set(id, (found = description(id, name, members)))
  return found
}

function description(id: number, name: unknown, members: readonly unknown[]): RemoteDescription {
  if (typeof name !== 'string') throw new FlatshareError('A reference came without a description of its class.')
  const [methods, getters, setters, generators] = members.slice(0, 4).map(names)
  return Object.freeze({
    id,
    name,
    isFunction: false,
    methods: methods ?? [],
    getters: getters ?? [],
    setters: setters ?? [],
    generators: generators ?? [],
    synchronous: synchronousOf(members[4]),
  })
}

function names(list: unknown): readonly string[] {
  if (list === undefined) return []
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return list
  throw noDescription()
}

function synchronousOf(list: unknown): readonly SynchronousMember[] {
  if (list === undefined) return []
  const isMember = (x: unknown) => Array.isArray(x) && typeof x[0] === 'string' && typeof x[1] === 'string'
  if (Array.isArray(list) && list.every(isMember)) return list as SynchronousMember[]
  throw noDescription()
}

const noDescription = () => new FlatshareError('A reference came with a description of its class that is none.')

/** What another thread must know to make a proxy of such an object too. */
export function aboutOf({ isFunction, id, name, ...members }: RemoteDescription): About {
  if (isFunction) return [FUNCTION, name]
  const { methods, getters, setters = [], generators = [], synchronous = [] } = members
  const described = [id, name, methods, getters, setters, generators] as const
  return synchronous.length === 0 ? [...described] : [...described, synchronous]
}
