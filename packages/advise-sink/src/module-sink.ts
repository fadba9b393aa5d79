/** Sinks that are named by their module and export, and are loaded by the thread that notifies them. */
import { FlatshareError } from '@flatshare/core'
import type { AdviseSinkOrFunction } from './notification.js'
import { isSink } from './sinks.js'

const loaded = new Map<string, Promise<AdviseSinkOrFunction>>()

/** The sink that a URL names, imported once; any other is itself. */
export function moduleSink(sink: AdviseSinkOrFunction): AdviseSinkOrFunction | Promise<AdviseSinkOrFunction> {
  if (!(sink instanceof URL)) return sink
  let found = loaded.get(sink.href)
  if (!found) {
    found = load(new URL(sink))
    loaded.set(sink.href, found)
    // Another try may find it.
    found.catch(() => loaded.delete(sink.href))
  }
  return found
}

async function load(url: URL): Promise<AdviseSinkOrFunction> {
  const name = decodeURIComponent(url.hash.slice(1))
  url.hash = ''
  const exports = (await import(/* @vite-ignore */ url.href)) as Record<string, unknown>
  const sink = exports[name]
  if (isSink(sink) && !(sink instanceof URL)) return sink
  const others = Object.keys(exports).filter((key) => isSink(exports[key]))
  throw new FlatshareError(
    `${url.href} exports no sink "${name}": a sink is a function, or an object with a method onNotify. It exports ` +
      `${others.join(', ') || 'none'}.`,
  )
}
