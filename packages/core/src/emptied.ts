/** Objects of the platform of which structured clone, on some platforms, makes empty ones without a word. */

/** By their global names; what to send instead. */
const emptied: Readonly<Record<string, string>> = {
  AbortController: 'its signal',
  BroadcastChannel: 'its name',
  Cache: 'what was found in it',
  CustomEvent: 'its type and detail',
  Event: 'its type',
  EventSource: 'its url',
  EventTarget: 'an object that is decorated or marked byReference',
  FormData: 'its entries, as in [...form]',
  Headers: 'its entries, as in [...headers]',
  MessageEvent: 'its data',
  Request: 'its url, method, entries of headers, and body',
  Response: 'its status, entries of headers, and body',
  TextDecoder: 'its encoding',
  TextEncoder: 'nothing: make one there',
  URLPattern: 'its parts, such as pathname',
  WebSocket: 'what it receives',
}

/**
 * What to send in the place of such an object; undefined for any other one. An instance of a program's own subclass is
 * another one: it crosses as a copy of its fields.
 */
export function insteadOfEmptied(x: object): string | undefined {
  // The name is asked first: runtimes load some of these classes only when they are looked up.
  let name = Object.prototype.toString.call(x).slice(8, -1)
  const prototype = Object.getPrototypeOf(x) as object | null
  // Some go by the tag of what they extend.
  if (name === 'EventTarget' && prototype && Object.hasOwn(prototype, 'constructor')) name = prototype.constructor.name
  if (!Object.hasOwn(emptied, name)) return undefined
  const Class = (globalThis as unknown as Record<string, { readonly prototype: object } | undefined>)[name]
  return Class && prototype === Class.prototype ? emptied[name] : undefined
}
