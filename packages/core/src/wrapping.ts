/** Putting a function in the place of a method so that nobody sees the difference. */
const KINDS: Readonly<Record<string, FunctionKind>> = {
  '[object AsyncFunction]': 'async',
  '[object GeneratorFunction]': 'generator',
  '[object AsyncGeneratorFunction]': 'async generator',
}

export type FunctionKind = 'plain' | 'async' | 'generator' | 'async generator'

/** How a function gives its result, as far as the runtime still sees it: what a compiler lowered is plain. */
export function functionKind(fn: Function): FunctionKind {
  return KINDS[Object.prototype.toString.call(fn)] ?? 'plain'
}

/**
 * Gives `wrapper` the face of `original`: name, length, source text, kind, and properties of its own. The
 * text answers to `wrapper.toString()` only, not to `Function.prototype.toString.call(wrapper)`.
 */
export function wearFace<F extends Function>(wrapper: F, original: Function): F {
  for (const key of Reflect.ownKeys(original)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue
    Object.defineProperty(wrapper, key, Object.getOwnPropertyDescriptor(original, key)!)
  }
  Object.defineProperty(wrapper, 'toString', {
    value: () => original.toString(),
    writable: true,
    configurable: true,
  })
  const kind = Object.getPrototypeOf(original) as object
  if (Object.getPrototypeOf(wrapper) !== kind) Object.setPrototypeOf(wrapper, kind)
  return wrapper
}

/** Puts what `wrap` gives in the place of an own method, or of both halves of an own accessor. */
export function wrapMember(
  prototype: object,
  key: PropertyKey,
  descriptor: PropertyDescriptor,
  wrap: (fn: Function) => Function,
): void {
  const wrapped = { ...descriptor }
  const change = (fn: Function) => wearFace(wrap(fn), fn)
  if (descriptor.get) wrapped.get = change(descriptor.get) as () => unknown
  if (descriptor.set) wrapped.set = change(descriptor.set) as (value: unknown) => void
  if (typeof descriptor.value === 'function') wrapped.value = change(descriptor.value)
  Object.defineProperty(prototype, key, wrapped)
}
