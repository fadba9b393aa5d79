/**
 * Classes that are named by their module and export, `file:///…/mailbox.js#Mailbox`, and need not be served.
 *
 * The thread that makes the object imports the module; it is a thread of this process, and runs the same program.
 */
import { crossingName, isClass, moduleOfClass } from './description.js'

/**
 * The name under which another thread finds a class.
 *
 * @throws TypeError for a URL that names no export.
 */
export function classNameFor(wanted: string | URL | Function): string {
  if (typeof wanted === 'function') {
    const module = moduleOfClass(wanted)
    return module === undefined ? crossingName(wanted) : `${module}#${crossingName(wanted)}`
  }
  if (!(wanted instanceof URL)) {
    if (typeof wanted === 'string') return wanted
    throw new TypeError('create takes a class, its name as it is served, or the URL of its module with #Name.')
  }
  if (wanted.hash.length > 1) return String(wanted)
  throw new TypeError(
    `${String(wanted)} names no class: add its export, as in new URL('./mailbox.js#Mailbox', import.meta.url).`,
  )
}

/** Whether a class is named by its module. */
export function isModuleClass(name: string): boolean {
  return name.includes('#') && URL.canParse(name)
}

/**
 * Imports the module and finds the class in it.
 *
 * @throws TypeError when it exports no such class; what the module throws.
 */
export async function loadClass(name: string): Promise<new (...args: any[]) => object> {
  const url = new URL(name)
  const wanted = decodeURIComponent(url.hash.slice(1))
  url.hash = ''
  const exports = (await import(/* @vite-ignore */ String(url))) as Record<string, unknown>
  const classes = Object.entries(exports).filter(([, value]) => typeof value === 'function' && isClass(value))
  const found =
    classes.find(([key]) => key === wanted) ?? classes.find(([, Class]) => crossingName(Class as Function) === wanted)
  if (found) return found[1] as new (...args: any[]) => object
  const list = classes.map(([key]) => key).join(', ') || 'no class'
  throw new TypeError(`${String(url)} exports no class "${wanted}": it exports ${list}.`)
}
