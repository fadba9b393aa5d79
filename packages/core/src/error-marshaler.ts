/**
 * Errors cross with class, message, stack of both sides, cause and own fields; structured clone alone
 * keeps none but message and stack.
 *
 * The class is found by its name among the platform's, Flatshare's and those given to `registerError`;
 * an error of a class that this thread doesn't know arrives as the nearest known parent, under its own
 * name.
 */
import { DowngradeError, errorFamily } from './errors.js'
import { type MarshalContext, type Marshaler, registerMarshaler, type UnmarshalContext } from './marshaler.js'
import { ownThreadId, threadName } from './threads.js'

/** A class of errors, whatever its constructor takes. */
export type ErrorClass = new (...args: any[]) => Error

const platformErrors = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
}

const known = new Map<string, ErrorClass>([
  ...(Object.entries(platformErrors) as Array<[string, ErrorClass]>),
  ...(Object.entries(errorFamily) as Array<[string, ErrorClass]>),
])
const names = new Map<Function, string>([...known].map(([name, Class]) => [Class, name]))

/**
 * Makes error classes known to this thread, so that errors of them arrive as instances of them. What a
 * module serves is registered without a word.
 *
 * @param classes the classes, under their own names, or a record that names them (for minified code).
 * @example
 * registerError(OverdrawnError)
 * registerError({ OverdrawnError })
 * @throws TypeError for anything that is no class of errors.
 */
export function registerError(...classes: Array<ErrorClass | Record<string, ErrorClass>>): void {
  for (const entry of classes) {
    const named = typeof entry === 'function' ? { [entry.name]: entry } : entry
    if (typeof named !== 'object' || named === null) throw new TypeError('registerError takes classes of errors.')
    for (const [name, Class] of Object.entries(named)) {
      if (!(Class?.prototype instanceof Error))
        throw new TypeError(`registerError takes classes of errors; ${name} is none.`)
      known.set(name, Class)
      names.set(Class, name)
    }
  }
}

interface ErrorBody {
  /** Names of its class and the classes above it, nearest first. */
  classes: string[]
  /** Undefined where it can't be read: then it is that of the class. */
  name: string | undefined
  message: string
  stack: string
  thread: string
  own: unknown
  cause?: unknown
  errors?: unknown
}

const DOM_EXCEPTION = 'DOMException'
const aside = new Set(['stack', 'message', 'cause', 'errors'])

function classesOf(error: Error): string[] {
  if (typeof DOMException !== 'undefined' && error instanceof DOMException) return [DOM_EXCEPTION]
  const classes: string[] = []
  for (let at = Object.getPrototypeOf(error); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const Class = Object.hasOwn(at, 'constructor') ? (at.constructor as Function) : undefined
    if (typeof Class === 'function') classes.push(names.get(Class) ?? Class.name)
  }
  return classes
}

/** A text of an error; undefined where its getter throws. */
function textOf(error: Error, key: 'name' | 'message' | 'stack'): string | undefined {
  try {
    return String(error[key] ?? '')
  } catch {
    return undefined
  }
}

/**
 * Fields that can't cross, or can't be read, are left out: an error must arrive, whatever hangs on it. But what refuses to go
 * to another process as a mere proxy refuses here, too.
 */
function packTolerantly(holder: object, key: string, context: MarshalContext): unknown {
  try {
    const value = (holder as Record<string, unknown>)[key]
    if (typeof value === 'function' || typeof value === 'symbol') return undefined
    return context.pack(value)
  } catch (error) {
    // Nobody may send it unawares.
    if (error instanceof DowngradeError) throw error
    return undefined
  }
}

const errorMarshaler: Marshaler<Error, ErrorBody> = {
  kind: 'error',
  model: undefined,
  claimClass: (x) => x instanceof Error,
  apart: 'same',
  marshal(error, context) {
    const own: Record<string, unknown> = {}
    for (const key of Object.keys(error)) {
      if (aside.has(key)) continue
      const value = packTolerantly(error, key, context)
      // One that hides what the class says, as its name, is no field any more without its value.
      if (value !== undefined || !(key in Error.prototype)) own[key] = value
    }
    const body: ErrorBody = {
      classes: classesOf(error),
      name: textOf(error, 'name'),
      message: textOf(error, 'message') ?? '',
      stack: textOf(error, 'stack') ?? '',
      thread: threadName(ownThreadId()),
      own,
    }
    if (Object.hasOwn(error, 'cause')) body.cause = packTolerantly(error, 'cause', context)
    if (error instanceof AggregateError && Array.isArray(error.errors)) {
      body.errors = error.errors.map((_, i) => packTolerantly(error.errors, String(i), context))
    }
    return body
  },
  unmarshal(body, _context: UnmarshalContext) {
    const error = revive(body)
    for (const [key, value] of Object.entries(body.own as Record<string, unknown>)) {
      Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true })
    }
    if ('cause' in body) define(error, 'cause', body.cause)
    if (body.errors !== undefined) define(error, 'errors', body.errors)
    define(error, 'stack', `${body.stack}\n    --- on the thread "${body.thread}" ---`)
    return error
  },
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true })
}

function revive(body: ErrorBody): Error {
  if (body.classes[0] === DOM_EXCEPTION) return new DOMException(body.message, body.name ?? 'Error')
  const Class = known.get(body.classes.find((name) => known.has(name)) ?? 'Error')!
  // No constructor runs: a user's takes who knows what arguments. The internals of a real Error are kept.
  const error = Reflect.construct(Error, [body.message], Class) as Error
  if (body.name !== undefined && error.name !== body.name) define(error, 'name', body.name)
  return error
}

registerMarshaler(errorMarshaler)
