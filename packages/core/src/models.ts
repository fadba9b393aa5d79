/**
 * Which threading model a class, an object or a reference has.
 *
 * Kept in a weak map; where `reflect-metadata` is loaded it is defined there as well, under
 * `flatshare:model`, so that other tools that read metadata see it.
 */
import { byReferenceModel } from './by-reference.js'
import { DowngradeError, FlatshareError } from './errors.js'
import { marshalerOf } from './marshaler.js'

/** How threads may use an object; see the README's table. */
export type ThreadingModel = 'single' | 'apartment' | 'free'

/** What is known of a decorated class. */
export interface ModelRecord {
  readonly Class: Function
  readonly model: ThreadingModel
  /** Under which it crosses: given to the decorator, or the class's own. */
  readonly name: string
}

/** The key under which `reflect-metadata` has a class's model. */
const MODEL_KEY = 'flatshare:model'

const records = new WeakMap<Function, ModelRecord>()

/** From the most to the least permissive: a subclass may only go down. */
const order: readonly ThreadingModel[] = ['free', 'apartment', 'single']

const article = (model: ThreadingModel) => `${model === 'apartment' ? 'an' : 'a'} ${model}-threaded class`

/**
 * Declares a class's threading model.
 *
 * @throws FlatshareError when the class has another model already or contradicts its parent's.
 * @throws TypeError for what is no class, and for a name that is no text.
 */
export function declareModel(Class: Function, model: ThreadingModel, options: { name?: string } = {}): ModelRecord {
  if (typeof Class !== 'function' || typeof Class.prototype !== 'object') {
    throw new TypeError(`Only a class can be ${article(model)}.`)
  }
  if (options.name !== undefined && typeof options.name !== 'string') {
    throw new TypeError(`The name under which ${Class.name || 'a class'} crosses must be a string.`)
  }
  const own = records.get(Class)
  if (own && own.model !== model) {
    throw new FlatshareError(`${own.name} is already ${article(own.model)}; it can't be ${article(model)} as well.`)
  }
  const name = options.name ?? own?.name ?? Class.name
  if (!name) {
    throw new FlatshareError(
      `A class without a name can't cross to another thread: give the decorator one, { name: '…' }.`,
    )
  }
  const parent = modelRecord(Object.getPrototypeOf(Class) as Function)
  if (parent && order.indexOf(model) < order.indexOf(parent.model)) {
    throw new FlatshareError(
      `${name} can't be ${article(model)}: its parent ${parent.name} is ${article(parent.model)}. ` +
        `A subclass may narrow its parent's model (free → apartment → single), not widen it.`,
    )
  }
  const record: ModelRecord = Object.freeze({ Class, model, name })
  records.set(Class, record)
  const reflect = Reflect as { defineMetadata?: (key: string, value: unknown, target: object) => void }
  reflect.defineMetadata?.(MODEL_KEY, model, Class)
  return record
}

/** The record of a class itself, not its parents'. */
export function ownModelRecord(Class: Function): ModelRecord | undefined {
  return records.get(Class)
}

/** The record of a class or of the nearest decorated class above it. */
export function modelRecord(Class: Function | null): ModelRecord | undefined {
  for (let at: Function | null = Class; typeof at === 'function'; at = Object.getPrototypeOf(at) as Function | null) {
    const record = records.get(at)
    if (record) return record
  }
  return undefined
}

/**
 * The threading model of a class, or how an object or reference behaves on this thread: a proxy answers
 * `'apartment'` whatever the class of the object behind it. Undefined for what has no model and so
 * crosses as a copy.
 *
 * @example
 * modelOf(Account) // 'free'
 * modelOf(await apartment.create('Mailbox')) // 'apartment'
 */
export function modelOf(x: unknown): ThreadingModel | undefined {
  if (typeof x === 'function') {
    const record = modelRecord(x)
    if (record) return record.model
  } else if (typeof x !== 'object' || x === null) return undefined
  return byReferenceModel(x) ?? marshalerOf(x as object)?.model
}

/**
 * Gives `x` back if it has the required model here, and fails early where it hasn't.
 *
 * @throws DowngradeError when `'free'` is required and `x` is a mere proxy here.
 * @throws FlatshareError when it has another model, or none.
 */
export function requireModel<T>(x: T, required: ThreadingModel): T {
  const model = modelOf(x)
  if (model === required) return x
  const found = model ? `behaves as ${model}-threaded here` : 'has no threading model: it would cross as a copy'
  const message = `A ${required}-threaded object is required, but this one ${found}.`
  throw required === 'free' && model === 'apartment' ? new DowngradeError(message) : new FlatshareError(message)
}
