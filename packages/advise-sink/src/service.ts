/** The module of the service thread: it receives what it is told to notify. */
import './places.js'
import { receive } from './receiver.js'

receive('load', async (modules: readonly string[]) => {
  for (const module of modules) await import(/* @vite-ignore */ module)
})
